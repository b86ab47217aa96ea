DROP TABLE pg_temp.staged_quarter, pg_temp.staged_range, pg_temp.holding, pg_temp.touched_hour, pg_temp.touched_day
