DROP TABLE pg_temp.staged_quarter, pg_temp.staged_range, pg_temp.touched
