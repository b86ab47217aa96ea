-- How many stored readings stand in messages that an agent has deleted because they were confirmed.
SELECT count(*)
FROM (
  SELECT message FROM ingest.reading_gauge
  UNION ALL SELECT message FROM ingest.reading_register
  UNION ALL SELECT message FROM ingest.reading_state
) AS reading
JOIN ingest.ledger AS l ON l.ledger_id = ingest.ledger_of(reading.message)
WHERE l.gateway = %(gateway)s
  AND (l.epoch < %(epoch)s OR l.epoch = %(epoch)s AND ingest.seq_of(reading.message) <= %(through)s);
