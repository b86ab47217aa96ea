INSERT INTO ingest.final_through (through, decided_by, document) VALUES (%(through)s, %(by)s, %(document)s)
