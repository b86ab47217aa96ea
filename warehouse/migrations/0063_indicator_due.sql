-- Results whose inputs changed after they were computed.

CREATE TABLE indicator.due (
  indicator text NOT NULL REFERENCES indicator.catalogue,
  scope text NOT NULL,
  period_type text NOT NULL,
  period text NOT NULL,
  since timestamptz NOT NULL,
  cause text NOT NULL CHECK (cause IN ('energy_accounts')),
  first_day date NOT NULL,
  last_day date NOT NULL CHECK (first_day <= last_day),
  PRIMARY KEY (indicator, scope, period_type, period)
);
COMMENT ON TABLE indicator.due IS
  'Results whose inputs changed after they were computed (数据已修订): to be computed again. The run that does so takes the mark away, and adds a version only if something differs';
COMMENT ON COLUMN indicator.due.indicator IS 'The indicator';
COMMENT ON COLUMN indicator.due.scope IS 'Area the result is of';
COMMENT ON COLUMN indicator.due.period_type IS 'As in stats.observation';
COMMENT ON COLUMN indicator.due.period IS 'As in stats.observation';
COMMENT ON COLUMN indicator.due.since IS 'When the first of these changes was written';
COMMENT ON COLUMN indicator.due.cause IS 'energy_accounts: quarter-hours of days within the period changed';
COMMENT ON COLUMN indicator.due.first_day IS 'First of the days that changed';
COMMENT ON COLUMN indicator.due.last_day IS 'Last of the days that changed; those between need not have';
