-- Where the sequences of the project's schemas stand; null where none was ever asked.
SELECT s.schemaname || '.' || s.sequencename, s.last_value
FROM pg_sequences AS s
WHERE s.schemaname <> 'public' AND s.schemaname !~ '^(pg_|_?timescaledb)'
ORDER BY 1
