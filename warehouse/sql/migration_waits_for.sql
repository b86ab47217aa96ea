-- Who else is in a transaction or at work in this database, by the name that each gave.
SELECT a.application_name
FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
