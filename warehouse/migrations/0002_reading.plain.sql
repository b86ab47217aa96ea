-- Readings on plain PostgreSQL: one partition per month and kind, made when the first reading of a month comes.

CREATE TABLE ingest.reading_gauge (
  series_id int4 NOT NULL,
  t timestamptz NOT NULL,
  v float8,
  q int2 NOT NULL,
  message int8 NOT NULL,
  PRIMARY KEY (series_id, t)
) PARTITION BY RANGE (t);
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
) PARTITION BY RANGE (t);
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
) PARTITION BY RANGE (t);
COMMENT ON TABLE ingest.reading_state IS 'Codes as they were read, one per series and time';
COMMENT ON COLUMN ingest.reading_state.series_id IS 'Series';
COMMENT ON COLUMN ingest.reading_state.t IS 'When the value was read, to the millisecond';
COMMENT ON COLUMN ingest.reading_state.v IS 'The code; null when q says why there is none';
COMMENT ON COLUMN ingest.reading_state.q IS 'Quality; smaller is better, from 100 on evidence only';
COMMENT ON COLUMN ingest.reading_state.message IS 'The message that brought it: ledger_id << 40 | seq';

CREATE FUNCTION ingest.ensure_month(month date) RETURNS int4
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  from_t CONSTANT timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
  to_t CONSTANT timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  parent text;
  child text;
  made int4 := 0;
BEGIN
  IF month < date '2015-01-01' OR from_t > now() + interval '2 months' THEN
    RAISE EXCEPTION 'no reading can be of %, so it gets no partition', month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(1731198978, 1);
  FOREACH parent IN ARRAY ARRAY['reading_gauge', 'reading_register', 'reading_state'] LOOP
    child := parent || '_' || to_char(from_t AT TIME ZONE 'UTC', 'YYYY_MM');
    CONTINUE WHEN to_regclass('ingest.' || child) IS NOT NULL;
    -- CREATE TABLE … PARTITION OF would lock the parent ACCESS EXCLUSIVE; ATTACH takes SHARE UPDATE EXCLUSIVE.
    EXECUTE format('CREATE TABLE ingest.%I (LIKE ingest.%I INCLUDING ALL)', child, parent);
    EXECUTE format(
      'ALTER TABLE ingest.%I ATTACH PARTITION ingest.%I FOR VALUES FROM (%L) TO (%L)', parent, child, from_t, to_t);
    EXECUTE format('COMMENT ON TABLE ingest.%I IS %L', child, 'Partition of ingest.' || parent);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;
COMMENT ON FUNCTION ingest.ensure_month IS
  'Make the partitions of a month (UTC) where they are missing, as the owner of the tables; returns how many it made';
