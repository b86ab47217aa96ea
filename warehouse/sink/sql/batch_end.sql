INSERT INTO ingest.batch (batch, sink, records, readings)
VALUES (%(batch)s, %(sink)s, %(records)s, %(readings)s)
