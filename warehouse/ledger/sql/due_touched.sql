-- Waits for the sinks that are writing to these rows, so that whoever marks a day later is seen the next time.
SELECT l.ledger_id, l.gateway, l.touched::text
FROM ingest.ledger AS l
WHERE l.touched IS DISTINCT FROM '{}' AND l.ledger_id > %(after)s
ORDER BY l.ledger_id
LIMIT %(most)s
FOR NO KEY UPDATE
