-- What came of checking the accounts against the readings.

CREATE TABLE energy.check_run (
  check_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  part text NOT NULL CHECK (part IN ('recent', 'older', 'asked')),
  night date,
  from_day date NOT NULL,
  to_day date NOT NULL CHECK (from_day < to_day),
  meters text[],
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  after_meter int NOT NULL DEFAULT 0,
  checked int NOT NULL DEFAULT 0,
  waiting int NOT NULL DEFAULT 0,
  compared int8 NOT NULL DEFAULT 0,
  undecided int8 NOT NULL DEFAULT 0,
  differing int8 NOT NULL DEFAULT 0,
  examples jsonb NOT NULL DEFAULT '[]',
  CHECK ((part = 'asked') = (night IS NULL)),
  UNIQUE (night, part)
);
COMMENT ON TABLE energy.check_run IS
  'Checks of accounts against the readings they are made of, and of sums against what they sum up (能源账核对): by night, or when asked for. The only thing that a check writes';
COMMENT ON COLUMN energy.check_run.check_id IS 'The check';
COMMENT ON COLUMN energy.check_run.part IS
  'recent: the last weeks, every night; older: one month before these, in turn; asked: g60 warehouse energy check';
COMMENT ON COLUMN energy.check_run.night IS 'Day of Asia/Shanghai on which it was due; null when it was asked for';
COMMENT ON COLUMN energy.check_run.from_day IS 'First day of Asia/Shanghai that was checked';
COMMENT ON COLUMN energy.check_run.to_day IS 'First day after them';
COMMENT ON COLUMN energy.check_run.meters IS 'Serial numbers of the meters that were asked for; null: all';
COMMENT ON COLUMN energy.check_run.started_at IS 'When it began';
COMMENT ON COLUMN energy.check_run.finished_at IS 'When all meters had been checked; null while it is under way or was given up';
COMMENT ON COLUMN energy.check_run.after_meter IS 'Meters up to this meter_id have been checked';
COMMENT ON COLUMN energy.check_run.checked IS 'Meters that were checked';
COMMENT ON COLUMN energy.check_run.waiting IS 'Of these, meters whose quarter-hours were not compared: late readings of theirs wait for the job';
COMMENT ON COLUMN energy.check_run.compared IS 'Rows that were compared: quarter-hours, hours, days, months';
COMMENT ON COLUMN energy.check_run.undecided IS 'Quarter-hours at the end of the closed time that depend on readings after it, and were therefore not compared';
COMMENT ON COLUMN energy.check_run.differing IS 'Rows that are not what they should be';
COMMENT ON COLUMN energy.check_run.examples IS 'The first of these: level, meter_id, feed_in, start, stored, expected';
