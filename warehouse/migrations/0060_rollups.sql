-- Roll-ups of the energy accounts: hour, day and month beside the quarter-hour, with who had the meter in every row.

-- Holders -------------------------------------------------------------------------------------------------------------

CREATE TABLE energy.holder (
  holder_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uscc text,
  areas text[] NOT NULL,
  UNIQUE NULLS NOT DISTINCT (uscc, areas),
  CHECK ((uscc IS NULL) = (holder_id = 0)),
  CHECK (uscc IS NOT NULL OR areas = '{}')
);
CREATE INDEX holder_areas ON energy.holder USING gin (areas);
COMMENT ON TABLE energy.holder IS
  'Who had a meter, and in which areas: one small number in a row of an account instead of enterprise and areas. Never changed; 0 is nobody';
COMMENT ON COLUMN energy.holder.holder_id IS 'Number of ours; 0: the meter was placed nowhere';
COMMENT ON COLUMN energy.holder.uscc IS 'The enterprise; null for nobody';
COMMENT ON COLUMN energy.holder.areas IS
  'Areas of any kind that the enterprise operated in on that day (registry.enterprise_area), sorted; may be none';
INSERT INTO energy.holder (holder_id, uscc, areas) OVERRIDING SYSTEM VALUE VALUES (0, NULL, '{}');

CREATE FUNCTION energy.holding(meters int[])
  RETURNS TABLE (meter_id int, uscc text, areas text[], from_t timestamptz, to_t timestamptz)
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    WITH placed AS (
      SELECT p.meter_id, p.uscc, p.valid_from AS from_t, coalesce(p.valid_to, 'infinity') AS to_t
      FROM registry.meter_placement AS p
      WHERE p.meter_id = ANY(meters)
    ),
    sited AS (
      SELECT a.uscc, a.area,
             a.valid_from::timestamp AT TIME ZONE 'Asia/Shanghai' AS from_t,
             coalesce(a.valid_to::timestamp AT TIME ZONE 'Asia/Shanghai', 'infinity') AS to_t
      FROM registry.enterprise_area AS a
      WHERE a.uscc IN (SELECT placed.uscc FROM placed)
    ),
    edge AS (
      SELECT m AS meter_id, '-infinity'::timestamptz AS t FROM unnest(meters) AS m
      UNION
      SELECT p.meter_id, e.t FROM placed AS p CROSS JOIN LATERAL (VALUES (p.from_t), (p.to_t)) AS e (t)
      UNION
      SELECT p.meter_id, e.t
      FROM placed AS p
      JOIN sited AS s USING (uscc)
      CROSS JOIN LATERAL (VALUES (s.from_t), (s.to_t)) AS e (t)
      WHERE p.from_t < e.t AND e.t < p.to_t
    ),
    span AS (
      SELECT e.meter_id, e.t AS from_t, lead(e.t, 1, 'infinity') OVER (PARTITION BY e.meter_id ORDER BY e.t) AS to_t
      FROM edge AS e
      WHERE e.t < 'infinity'
    )
    SELECT s.meter_id, p.uscc,
           ARRAY(
             SELECT a.area FROM sited AS a
             WHERE a.uscc = p.uscc AND a.from_t <= s.from_t AND s.from_t < a.to_t
             ORDER BY a.area
           ),
           s.from_t, s.to_t
    FROM span AS s
    LEFT JOIN placed AS p ON p.meter_id = s.meter_id AND p.from_t <= s.from_t AND s.from_t < p.to_t
  $body$;
COMMENT ON FUNCTION energy.holding IS
  'Who has had each of these meters from when until when, by the registry as it is known now; spans fill all time, and where uscc is null nobody had it';

-- Roll-ups ------------------------------------------------------------------------------------------------------------

ALTER TABLE energy.quarter ADD COLUMN holder_id int NOT NULL DEFAULT 0;
COMMENT ON COLUMN energy.quarter.holder_id IS 'Who had the meter when the quarter-hour began: energy.holder';

ALTER TABLE energy.day ADD COLUMN holder_id int NOT NULL DEFAULT 0 REFERENCES energy.holder;
ALTER TABLE energy.day DROP CONSTRAINT day_pkey;
ALTER TABLE energy.day ADD PRIMARY KEY (meter_id, feed_in, day, holder_id);
CREATE INDEX day_holder ON energy.day (holder_id, day);
COMMENT ON TABLE energy.day IS
  'Sums of energy.quarter by day of Asia/Shanghai and holder, kept in step with it: a day on which the meter changed hands has a row for each holder';
COMMENT ON COLUMN energy.day.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.day.unknown IS
  'Quarter-hours unknown; with the two others at most 96, those that are absent were never expected, not yet closed, or another holder''s';

CREATE TABLE energy.hour (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  start timestamptz NOT NULL,
  holder_id int NOT NULL DEFAULT 0,
  energy numeric,
  measured smallint NOT NULL,
  estimated smallint NOT NULL,
  unknown smallint NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, feed_in, start, holder_id),
  CHECK (energy IS NOT NULL OR measured + estimated = 0)
);
CREATE INDEX hour_start ON energy.hour (start);
CREATE INDEX hour_holder ON energy.hour (holder_id, start);
COMMENT ON INDEX energy.hour_start IS 'Finds the hours of a time, whoever''s they are';
COMMENT ON TABLE energy.hour IS 'Sums of energy.quarter by hour and holder, kept in step with it';
COMMENT ON COLUMN energy.hour.meter_id IS 'The meter';
COMMENT ON COLUMN energy.hour.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.hour.start IS 'Beginning of the hour';
COMMENT ON COLUMN energy.hour.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.hour.energy IS 'Sum of the known quarter-hours, exact; null when none is known';
COMMENT ON COLUMN energy.hour.measured IS 'Quarter-hours measured';
COMMENT ON COLUMN energy.hour.estimated IS 'Quarter-hours estimated';
COMMENT ON COLUMN energy.hour.unknown IS 'Quarter-hours unknown; with the two others at most 4';
COMMENT ON COLUMN energy.hour.computed_at IS 'When it was computed';

CREATE TABLE energy.month (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  month date NOT NULL CHECK (extract(day FROM month) = 1),
  holder_id int NOT NULL DEFAULT 0 REFERENCES energy.holder,
  energy numeric,
  measured smallint NOT NULL,
  estimated smallint NOT NULL,
  unknown smallint NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, feed_in, month, holder_id),
  CHECK (energy IS NOT NULL OR measured + estimated = 0)
);
CREATE INDEX month_month ON energy.month (month, holder_id);
CREATE INDEX month_holder ON energy.month (holder_id, month);
COMMENT ON TABLE energy.month IS 'Sums of energy.quarter by month of Asia/Shanghai and holder, kept in step with it';
COMMENT ON COLUMN energy.month.meter_id IS 'The meter';
COMMENT ON COLUMN energy.month.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.month.month IS 'Month of Asia/Shanghai, as its first day';
COMMENT ON COLUMN energy.month.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.month.energy IS 'Sum of the known quarter-hours, exact; null when none is known';
COMMENT ON COLUMN energy.month.measured IS 'Quarter-hours measured';
COMMENT ON COLUMN energy.month.estimated IS 'Quarter-hours estimated';
COMMENT ON COLUMN energy.month.unknown IS 'Quarter-hours unknown; what is missing to 96 a day was never expected, not yet closed, or another holder''s';
COMMENT ON COLUMN energy.month.computed_at IS 'When it was computed';

-- Changed days --------------------------------------------------------------------------------------------------------

CREATE TABLE energy.day_changed (
  change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  day date NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX day_changed_what ON energy.day_changed (meter_id, feed_in, day);
COMMENT ON TABLE energy.day_changed IS
  'Days in which a quarter-hour of an account was added, changed or taken away. Written by the energy job alone, in the transaction that changed them, so that change_id follows the order of commits; a later mark of the same day replaces the earlier one, and those that every energy.consumer has passed are deleted';
COMMENT ON COLUMN energy.day_changed.change_id IS 'The mark';
COMMENT ON COLUMN energy.day_changed.meter_id IS 'The meter';
COMMENT ON COLUMN energy.day_changed.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.day_changed.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN energy.day_changed.changed_at IS 'When the change was written';

CREATE TABLE energy.consumer (
  consumer text PRIMARY KEY CHECK (consumer ~ '^[a-z][a-z_]{0,39}$'),
  through bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE energy.consumer IS 'Jobs that compute from energy accounts, and how far each has read energy.day_changed';
COMMENT ON COLUMN energy.consumer.consumer IS 'The job';
COMMENT ON COLUMN energy.consumer.through IS 'Last change_id that it has dealt with';
INSERT INTO energy.consumer (consumer) VALUES ('indicators');

-- Marks for holders ---------------------------------------------------------------------------------------------------

ALTER TABLE energy.dirty ADD COLUMN uscc text;
ALTER TABLE energy.dirty DROP CONSTRAINT dirty_cause_check;
ALTER TABLE energy.dirty ADD CHECK (cause IN ('closed', 'registry', 'holder'));
ALTER TABLE energy.dirty ADD CHECK (cause <> 'holder' OR num_nonnulls(meter_id, uscc) = 1);
ALTER TABLE energy.dirty ADD CHECK (uscc IS NULL OR cause = 'holder');
COMMENT ON COLUMN energy.dirty.meter_id IS 'The meter; null for all, or for those of an enterprise';
COMMENT ON COLUMN energy.dirty.uscc IS 'The enterprise whose meters'' holders changed; null for one meter or all';
COMMENT ON COLUMN energy.dirty.cause IS
  'closed: the watermark moved on from there; registry: a dated fact changed; holder: only who had the meter, or where';

CREATE FUNCTION energy.mark_placement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.meter_id, OLD.uscc, OLD.valid_from) = (NEW.meter_id, NEW.uscc, NEW.valid_from) THEN
    INSERT INTO energy.dirty (meter_id, t_from, cause)
    SELECT NEW.meter_id, least(OLD.valid_to, NEW.valid_to), 'holder'
    WHERE OLD.valid_to IS DISTINCT FROM NEW.valid_to;
    RETURN NULL;
  END IF;
  INSERT INTO energy.dirty (meter_id, t_from, cause)
  SELECT meter_id, min(t_from), 'holder'
  FROM (
    SELECT OLD.meter_id AS meter_id, OLD.valid_from AS t_from WHERE TG_OP <> 'INSERT'
    UNION ALL
    SELECT NEW.meter_id, NEW.valid_from WHERE TG_OP <> 'DELETE'
  ) AS touched
  GROUP BY meter_id;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION energy.mark_placement IS 'Trigger: marks a meter whose holder changed, from when on';

CREATE FUNCTION energy.mark_enterprise_area() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- By enterprise: which meters it has is decided when the job reads the mark, so that no placement that is being
  -- registered at this moment is missed.
  IF TG_OP = 'UPDATE' AND (OLD.uscc, OLD.area, OLD.valid_from) = (NEW.uscc, NEW.area, NEW.valid_from) THEN
    INSERT INTO energy.dirty (uscc, t_from, cause)
    SELECT NEW.uscc, least(OLD.valid_to, NEW.valid_to)::timestamp AT TIME ZONE 'Asia/Shanghai', 'holder'
    WHERE OLD.valid_to IS DISTINCT FROM NEW.valid_to;
    RETURN NULL;
  END IF;
  INSERT INTO energy.dirty (uscc, t_from, cause)
  SELECT uscc, min(valid_from)::timestamp AT TIME ZONE 'Asia/Shanghai', 'holder'
  FROM (
    SELECT OLD.uscc AS uscc, OLD.valid_from AS valid_from WHERE TG_OP <> 'INSERT'
    UNION ALL
    SELECT NEW.uscc, NEW.valid_from WHERE TG_OP <> 'DELETE'
  ) AS touched
  GROUP BY uscc;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION energy.mark_enterprise_area IS 'Trigger: marks an enterprise whose areas changed, from when on';

CREATE TRIGGER mark_placement AFTER INSERT OR UPDATE OR DELETE ON registry.meter_placement
  FOR EACH ROW EXECUTE FUNCTION energy.mark_placement();
CREATE TRIGGER mark_enterprise_area AFTER INSERT OR UPDATE OR DELETE ON registry.enterprise_area
  FOR EACH ROW EXECUTE FUNCTION energy.mark_enterprise_area();

-- What was accounted for before there were holders is given to them by the next run of the job.
INSERT INTO energy.dirty (meter_id, t_from, cause)
SELECT DISTINCT meter_id, '-infinity'::timestamptz, 'holder' FROM energy.day;
