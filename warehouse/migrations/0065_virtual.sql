-- Virtual meters: meters that nobody reads, whose account is a dated sum of others'.

CREATE TABLE registry.virtual_term (
  meter_id int NOT NULL REFERENCES registry.meter,
  term_id int NOT NULL REFERENCES registry.meter,
  term_feed_in boolean NOT NULL DEFAULT false,
  factor numeric NOT NULL CHECK (factor <> 0),
  valid_from timestamptz NOT NULL CHECK (extract(epoch FROM valid_from)::int8 % 900 = 0),
  valid_to timestamptz CHECK (extract(epoch FROM valid_to)::int8 % 900 = 0),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, term_id, term_feed_in, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (meter_id <> term_id),
  EXCLUDE USING gist (
    meter_id WITH =, term_id WITH =, (term_feed_in::int) WITH =, tstzrange(valid_from, valid_to) WITH &&
  ) DEFERRABLE
);
CREATE INDEX virtual_term_term ON registry.virtual_term (term_id);
COMMENT ON TABLE registry.virtual_term IS
  'Virtual meters (虚拟表): a meter whose account is the sum of factor × account over the terms in force when a quarter-hour begins';
COMMENT ON COLUMN registry.virtual_term.meter_id IS 'The virtual meter; no series tells it';
COMMENT ON COLUMN registry.virtual_term.term_id IS 'A meter of the same unit that the sum is made of; may be virtual too';
COMMENT ON COLUMN registry.virtual_term.term_feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN registry.virtual_term.factor IS 'What it is multiplied by: 1 adds it, -1 takes it off, 0.4 adds a share';
COMMENT ON COLUMN registry.virtual_term.valid_from IS 'From when (起始时间), a full quarter-hour';
COMMENT ON COLUMN registry.virtual_term.valid_to IS
  'Until when, exclusive (终止时间), a full quarter-hour; null while it holds';
CALL registry.keep_history('virtual_term');

CREATE TRIGGER mark_range AFTER INSERT OR UPDATE OR DELETE ON registry.virtual_term
  FOR EACH ROW EXECUTE FUNCTION energy.mark_range();

COMMENT ON TABLE registry.meter_series IS
  'Which register of which gateway tells a meter''s count, or, for a meter that has none, which gauge tells its power';
COMMENT ON COLUMN registry.meter_series.feed_in IS
  'False: energy drawn (正向); true: energy fed back (反向). A gauge of power tells both: what is below zero is fed back';

-- There are no virtual meters before this, so nothing that changed before this concerns them.
INSERT INTO energy.consumer (consumer, through)
SELECT 'virtual', coalesce(max(change_id), 0) FROM energy.day_changed;
