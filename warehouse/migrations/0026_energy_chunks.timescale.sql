-- On TimescaleDB the quarter-hours are a hypertable, so that old years can be dropped or moved. Not compressed: a late
-- reading may change many of them, and TimescaleDB limits how much a statement may unpack.
SELECT create_hypertable('energy.quarter', 'start', chunk_time_interval => interval '28 days', create_default_indexes => false);
COMMENT ON INDEX energy.quarter_start IS 'Finds the quarter-hours of a time, whoever''s they are';
