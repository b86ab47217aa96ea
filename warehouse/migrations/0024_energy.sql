-- Energy accounts: what each meter's register says of every quarter-hour and day.

CREATE SCHEMA energy;
COMMENT ON SCHEMA energy IS 'Energy accounts made from registers';

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

CREATE TABLE energy.watermark (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  closed_through timestamptz NOT NULL
);
COMMENT ON TABLE energy.watermark IS 'How far the accounts go: one row at most';
COMMENT ON COLUMN energy.watermark.one IS 'Always true';
COMMENT ON COLUMN energy.watermark.closed_through IS 'Every quarter-hour that ends by then has been computed';
