-- Energy accounts: what each meter's register says of every quarter-hour and day.

CREATE SCHEMA energy;
COMMENT ON SCHEMA energy IS 'Energy accounts made from registers';

CREATE FUNCTION energy.to_ms(t timestamptz) RETURNS int8
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE t
    WHEN 'infinity' THEN 9007199254740991
    WHEN '-infinity' THEN -9007199254740991
    ELSE (extract(epoch FROM t) * 1000)::int8
  END;
COMMENT ON FUNCTION energy.to_ms IS 'UTC milliseconds of a time; ±9007199254740991 when infinite, null when there is none';

CREATE FUNCTION energy.from_ms(ms int8) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN ms >= 9007199254740991 THEN 'infinity'::timestamptz
    WHEN ms <= -9007199254740991 THEN '-infinity'::timestamptz
    ELSE to_timestamp(ms / 1000.0)
  END;
COMMENT ON FUNCTION energy.from_ms IS 'The time of UTC milliseconds, the inverse of energy.to_ms';

CREATE TABLE energy.quarter (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  start timestamptz NOT NULL,
  energy numeric,
  quality text NOT NULL CHECK (quality IN ('measured', 'estimated', 'unknown')),
  reason text,
  computed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, feed_in, start),
  CHECK ((energy IS NULL) = (quality = 'unknown')),
  CHECK ((reason IS NULL) = (quality = 'measured'))
);
CREATE INDEX quarter_start ON energy.quarter (start);
COMMENT ON TABLE energy.quarter IS 'Energy of each quarter-hour [start, start + 15 min), multiplied, in the unit of the meter';
COMMENT ON COLUMN energy.quarter.meter_id IS 'The meter';
COMMENT ON COLUMN energy.quarter.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.quarter.start IS 'Beginning of the quarter-hour';
COMMENT ON COLUMN energy.quarter.energy IS 'Exact; null when unknown, which is not 0';
COMMENT ON COLUMN energy.quarter.quality IS
  'measured: between readings at most 15 minutes apart; estimated: spread over a gap or a change; unknown';
COMMENT ON COLUMN energy.quarter.reason IS 'Why it is not measured: gap, multiplier_change, reset, no_reading, no_multiplier …';
COMMENT ON COLUMN energy.quarter.computed_at IS 'When it was computed';

CREATE TABLE energy.day (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  day date NOT NULL,
  energy numeric,
  measured smallint NOT NULL,
  estimated smallint NOT NULL,
  unknown smallint NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, feed_in, day),
  CHECK (energy IS NOT NULL OR measured + estimated = 0)
);
CREATE INDEX day_day ON energy.day (day);
COMMENT ON TABLE energy.day IS 'Sums of energy.quarter by day of Asia/Shanghai, kept in step with it';
COMMENT ON COLUMN energy.day.meter_id IS 'The meter';
COMMENT ON COLUMN energy.day.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.day.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN energy.day.energy IS 'Sum of the known quarter-hours, exact; null when none is known';
COMMENT ON COLUMN energy.day.measured IS 'Quarter-hours measured';
COMMENT ON COLUMN energy.day.estimated IS 'Quarter-hours estimated';
COMMENT ON COLUMN energy.day.unknown IS 'Quarter-hours unknown; with the two others at most 96, those that are absent were never expected or not yet closed';
COMMENT ON COLUMN energy.day.computed_at IS 'When it was computed';

CREATE TABLE energy.checkpoint (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  register text NOT NULL,
  at timestamptz NOT NULL,
  last_good timestamptz NOT NULL CHECK (last_good < at),
  PRIMARY KEY (meter_id, feed_in, register, at)
);
COMMENT ON TABLE energy.checkpoint IS
  'Where an account can be taken up again: what readings before a time left behind. Computing from here equals computing from the first reading';
COMMENT ON COLUMN energy.checkpoint.meter_id IS 'The meter';
COMMENT ON COLUMN energy.checkpoint.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.checkpoint.register IS 'Unit, decimals and range of the register, kWh/2/100000000';
COMMENT ON COLUMN energy.checkpoint.at IS 'Depends on no reading at or after this time';
COMMENT ON COLUMN energy.checkpoint.last_good IS 'Time of the last reading that the account had accepted';

CREATE TABLE energy.dirty (
  dirty_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  meter_id int REFERENCES registry.meter,
  t_from timestamptz NOT NULL,
  cause text NOT NULL CHECK (cause IN ('closed', 'registry'))
);
COMMENT ON TABLE energy.dirty IS
  'Accounts to be computed (again) from a time on; beside ingest.dirty. Inserted only, a job deletes the rows it saw';
COMMENT ON COLUMN energy.dirty.dirty_id IS 'The mark';
COMMENT ON COLUMN energy.dirty.meter_id IS 'The meter; null for all';
COMMENT ON COLUMN energy.dirty.t_from IS 'From when';
COMMENT ON COLUMN energy.dirty.cause IS 'closed: the watermark moved on from there; registry: a dated fact changed';

CREATE FUNCTION energy.mark_range() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO energy.dirty (meter_id, t_from, cause)
  SELECT meter_id, min(t_from), 'registry'
  FROM (
    SELECT OLD.meter_id AS meter_id,
           CASE WHEN TG_OP = 'UPDATE' AND to_jsonb(OLD) - '{valid_to,source,legal_basis,recorded_at}'::text[]
                                        = to_jsonb(NEW) - '{valid_to,source,legal_basis,recorded_at}'::text[]
             THEN least(OLD.valid_to, NEW.valid_to) ELSE OLD.valid_from END AS t_from
    WHERE TG_OP <> 'INSERT'
    UNION ALL
    SELECT NEW.meter_id,
           CASE WHEN TG_OP = 'UPDATE' AND to_jsonb(OLD) - '{valid_to,source,legal_basis,recorded_at}'::text[]
                                        = to_jsonb(NEW) - '{valid_to,source,legal_basis,recorded_at}'::text[]
             THEN least(OLD.valid_to, NEW.valid_to) ELSE NEW.valid_from END
    WHERE TG_OP <> 'DELETE'
  ) AS touched
  WHERE t_from IS NOT NULL
  GROUP BY meter_id;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION energy.mark_range IS 'Trigger: marks the accounts that a changed range of the registry touches';

CREATE FUNCTION energy.mark_instant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO energy.dirty (meter_id, t_from, cause)
  SELECT meter_id, min(t_from), 'registry'
  FROM (
    SELECT OLD.meter_id AS meter_id, OLD.at AS t_from WHERE TG_OP <> 'INSERT'
    UNION ALL
    SELECT NEW.meter_id, NEW.at WHERE TG_OP <> 'DELETE'
  ) AS touched
  GROUP BY meter_id;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION energy.mark_instant IS 'Trigger: marks the accounts that a changed event of the registry touches';

CREATE TRIGGER mark_range AFTER INSERT OR UPDATE OR DELETE ON registry.meter_series
  FOR EACH ROW EXECUTE FUNCTION energy.mark_range();
CREATE TRIGGER mark_range AFTER INSERT OR UPDATE OR DELETE ON registry.multiplier
  FOR EACH ROW EXECUTE FUNCTION energy.mark_range();
CREATE TRIGGER mark_instant AFTER INSERT OR UPDATE OR DELETE ON registry.meter_event
  FOR EACH ROW EXECUTE FUNCTION energy.mark_instant();
