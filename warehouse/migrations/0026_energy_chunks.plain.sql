-- On plain PostgreSQL the quarter-hours are one table: 35 000 rows a register and year, far below the limit of readings.
COMMENT ON INDEX energy.quarter_start IS 'Finds the quarter-hours of a time, whoever''s they are';
