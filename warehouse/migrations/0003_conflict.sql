-- Beside the reading tables, on both flavours: losing values, and conflicts that could not be settled at once.

CREATE TABLE ingest.reading_replaced (
  series_id int4 NOT NULL,
  t timestamptz NOT NULL,
  v_float float8,
  v_int int8,
  q int2 NOT NULL,
  message int8 NOT NULL,
  batch int8 NOT NULL,
  UNIQUE NULLS NOT DISTINCT (series_id, t, message, q, v_float, v_int)
);
COMMENT ON TABLE ingest.reading_replaced IS
  'Values that lost against another of the same series and time: smaller quality wins, then the later epoch, then the later message, then the larger value';
COMMENT ON COLUMN ingest.reading_replaced.series_id IS 'Series';
COMMENT ON COLUMN ingest.reading_replaced.t IS 'When the value was read';
COMMENT ON COLUMN ingest.reading_replaced.v_float IS 'The value of a gauge';
COMMENT ON COLUMN ingest.reading_replaced.v_int IS 'The value of a register or state';
COMMENT ON COLUMN ingest.reading_replaced.q IS 'Its quality';
COMMENT ON COLUMN ingest.reading_replaced.message IS 'The message that brought it';
COMMENT ON COLUMN ingest.reading_replaced.batch IS 'The batch that set it aside';

CREATE TABLE ingest.reading_deferred (
  deferred_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series_id int4 NOT NULL,
  t timestamptz NOT NULL,
  v_float float8,
  v_int int8,
  q int2 NOT NULL,
  message int8 NOT NULL,
  seen boolean NOT NULL,
  batch int8 NOT NULL
);
CREATE INDEX reading_deferred_series ON ingest.reading_deferred (series_id, t);
COMMENT ON TABLE ingest.reading_deferred IS
  'Readings in conflict with compressed ones, more than one transaction may unpack; settled soon after, in small pieces';
COMMENT ON COLUMN ingest.reading_deferred.deferred_id IS 'Order of arrival';
COMMENT ON COLUMN ingest.reading_deferred.series_id IS 'Series';
COMMENT ON COLUMN ingest.reading_deferred.t IS 'When the value was read';
COMMENT ON COLUMN ingest.reading_deferred.v_float IS 'The value of a gauge';
COMMENT ON COLUMN ingest.reading_deferred.v_int IS 'The value of a register or state';
COMMENT ON COLUMN ingest.reading_deferred.q IS 'Its quality';
COMMENT ON COLUMN ingest.reading_deferred.message IS 'The message that brought it';
COMMENT ON COLUMN ingest.reading_deferred.seen IS 'True when a message of that number had been stored before';
COMMENT ON COLUMN ingest.reading_deferred.batch IS 'The batch that brought it';
