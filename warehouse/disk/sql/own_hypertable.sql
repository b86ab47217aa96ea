-- The same of a hypertable, what is compressed included as it stands.
SELECT CASE WHEN approximate_row_count(to_regclass(%(table)s)) >= 10000
  THEN hypertable_size(to_regclass(%(table)s))::float8 / approximate_row_count(to_regclass(%(table)s)) END
FROM timescaledb_information.hypertables AS h
WHERE h.hypertable_schema || '.' || h.hypertable_name = %(table)s
