-- Of several published values the one published last counts: as known, and as published, on a day.

CREATE FUNCTION stats.vintage_rank(vintage text) RETURNS int
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array_position(ARRAY['report', 'flash', 'annual', 'census'], vintage);
COMMENT ON FUNCTION stats.vintage_rank IS
  'Which of two values published on one day counts: report < flash (快报) < annual (年报) < census (普查)';

CREATE OR REPLACE FUNCTION stats.observation_as_of(known_at timestamptz) RETURNS SETOF stats.observation
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    SELECT DISTINCT ON (variable, period, subject, scope, price_basis) *
    FROM stats.observation
    WHERE recorded_at <= known_at
    ORDER BY
      variable, period, subject, scope, price_basis, published_at DESC, stats.vintage_rank(vintage) DESC,
      recorded_at DESC, observation_id DESC
  $body$;

CREATE FUNCTION stats.observation_published(by_day date, known_at timestamptz DEFAULT 'infinity')
  RETURNS SETOF stats.observation
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    SELECT DISTINCT ON (variable, period, subject, scope, price_basis) *
    FROM stats.observation
    WHERE published_at <= by_day AND recorded_at <= known_at
    ORDER BY
      variable, period, subject, scope, price_basis, published_at DESC, stats.vintage_rank(vintage) DESC,
      recorded_at DESC, observation_id DESC
  $body$;
COMMENT ON FUNCTION stats.observation_published IS
  'The value of every key that counted on a day by what was published until then, of what we knew at a time';

CREATE INDEX observation_subject ON stats.observation (subject, variable, period);
COMMENT ON INDEX stats.observation_subject IS 'Finds the values of one subject';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['observation', 'factor', 'factor_range', 'energy_report'] LOOP
    EXECUTE format(
      'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON stats.%I EXECUTE FUNCTION stats.refuse_change()', name);
  END LOOP;
END $$;
