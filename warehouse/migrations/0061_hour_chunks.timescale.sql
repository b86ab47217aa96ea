-- On TimescaleDB the hours are a hypertable like the quarter-hours, and for the same reasons not compressed.
SELECT create_hypertable('energy.hour', 'start', chunk_time_interval => interval '28 days', create_default_indexes => false);
COMMENT ON INDEX energy.hour_holder IS 'Finds the hours of a holder';
