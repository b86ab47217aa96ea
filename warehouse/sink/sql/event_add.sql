INSERT INTO ingest.event (gateway, kind, at, device, text, received_at, batch)
VALUES
  (%(gateway)s, %(kind)s, to_timestamp(%(at_ms)s / 1000.0), %(device)s, %(text)s,
   to_timestamp(%(received_ms)s / 1000.0), %(batch)s)
ON CONFLICT DO NOTHING
