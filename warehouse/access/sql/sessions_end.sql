-- End the sessions of a role in this database.
SELECT pg_terminate_backend(a.pid, 5000)
FROM pg_stat_activity AS a
WHERE a.usename = %(role)s AND a.datname = current_database()
