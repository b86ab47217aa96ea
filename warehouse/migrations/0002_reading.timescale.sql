-- Readings on TimescaleDB: hypertables, compressed by series.

CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE ingest.reading_gauge (
  series_id int4 NOT NULL,
  t timestamptz NOT NULL,
  v float8,
  q int2 NOT NULL,
  message int8 NOT NULL,
  PRIMARY KEY (series_id, t)
);
COMMENT ON TABLE ingest.reading_gauge IS 'Momentary values as they were read, one per series and time';
COMMENT ON COLUMN ingest.reading_gauge.series_id IS 'Series';
COMMENT ON COLUMN ingest.reading_gauge.t IS 'When the value was read, to the millisecond';
COMMENT ON COLUMN ingest.reading_gauge.v IS 'The value in the unit of the series; null when q says why there is none';
COMMENT ON COLUMN ingest.reading_gauge.q IS 'Quality; smaller is better, from 100 on evidence only';
COMMENT ON COLUMN ingest.reading_gauge.message IS 'The message that brought it: ledger_id << 40 | seq';

CREATE TABLE ingest.reading_register (
  series_id int4 NOT NULL,
  t timestamptz NOT NULL,
  v int8,
  q int2 NOT NULL,
  message int8 NOT NULL,
  PRIMARY KEY (series_id, t)
);
COMMENT ON TABLE ingest.reading_register IS 'Counters as they were read, one per series and time';
COMMENT ON COLUMN ingest.reading_register.series_id IS 'Series';
COMMENT ON COLUMN ingest.reading_register.t IS 'When the value was read, to the millisecond';
COMMENT ON COLUMN ingest.reading_register.v IS 'The display in least digits; never multiplied; null when q says why there is none';
COMMENT ON COLUMN ingest.reading_register.q IS 'Quality; smaller is better, from 100 on evidence only';
COMMENT ON COLUMN ingest.reading_register.message IS 'The message that brought it: ledger_id << 40 | seq';

CREATE TABLE ingest.reading_state (
  series_id int4 NOT NULL,
  t timestamptz NOT NULL,
  v int8,
  q int2 NOT NULL,
  message int8 NOT NULL,
  PRIMARY KEY (series_id, t)
);
COMMENT ON TABLE ingest.reading_state IS 'Codes as they were read, one per series and time';
COMMENT ON COLUMN ingest.reading_state.series_id IS 'Series';
COMMENT ON COLUMN ingest.reading_state.t IS 'When the value was read, to the millisecond';
COMMENT ON COLUMN ingest.reading_state.v IS 'The code; null when q says why there is none';
COMMENT ON COLUMN ingest.reading_state.q IS 'Quality; smaller is better, from 100 on evidence only';
COMMENT ON COLUMN ingest.reading_state.message IS 'The message that brought it: ledger_id << 40 | seq';

-- Chunks: measured bytes a reading (quarter-hour registers) 11.7 with 1-day chunks, 6.5 with 7 to 28 days; gauges are
-- many, and a day of them is what an index in memory can carry on one machine.
SELECT create_hypertable('ingest.reading_gauge', 't', chunk_time_interval => interval '1 day', create_default_indexes => false);
SELECT create_hypertable('ingest.reading_register', 't', chunk_time_interval => interval '7 days', create_default_indexes => false);
SELECT create_hypertable('ingest.reading_state', 't', chunk_time_interval => interval '7 days', create_default_indexes => false);

ALTER TABLE ingest.reading_gauge SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', timescaledb.compress_orderby = 't DESC');
ALTER TABLE ingest.reading_register SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', timescaledb.compress_orderby = 't DESC');
ALTER TABLE ingest.reading_state SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', timescaledb.compress_orderby = 't DESC');

SELECT add_compression_policy('ingest.reading_gauge', interval '7 days');
SELECT add_compression_policy('ingest.reading_register', interval '14 days');
SELECT add_compression_policy('ingest.reading_state', interval '14 days');

CREATE FUNCTION ingest.ensure_month(month date) RETURNS int4
  LANGUAGE sql IMMUTABLE RETURN CASE WHEN month IS NULL THEN 0 ELSE 0 END;
COMMENT ON FUNCTION ingest.ensure_month IS 'Nothing to do on TimescaleDB, which makes its chunks itself; returns 0';
