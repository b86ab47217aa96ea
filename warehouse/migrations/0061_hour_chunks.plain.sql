-- On plain PostgreSQL the hours are one table: 8 800 rows a register and year.
COMMENT ON INDEX energy.hour_holder IS 'Finds the hours of a holder';
