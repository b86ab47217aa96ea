-- Days on which expectations changed: time passed, a birth was said, the registry bound a gateway otherwise.
WITH said AS (
  SELECT b.gateway, count(*) AS births, max(b.said_id) AS last_birth, min(b.said_at) AS first_said
  FROM ingest.birth_said AS b
  WHERE b.said_at <= %(now)s
  GROUP BY b.gateway
),
now AS (
  SELECT s.*, ingest.bound_times(s.gateway) AS bound FROM said AS s
),
changed AS (
  SELECT
    n.*,
    CASE
      WHEN p.gateway IS NULL THEN n.first_said
      WHEN p.births = n.births THEN NULL
      -- Births of a gateway that came in another order than they were said: all of them are looked at again.
      WHEN (SELECT count(*) FROM ingest.birth_said AS b WHERE b.gateway = n.gateway AND b.said_id <= p.last_birth)
        <> p.births THEN n.first_said
      ELSE (SELECT min(b.said_at) FROM ingest.birth_said AS b WHERE b.gateway = n.gateway AND b.said_id > p.last_birth)
    END AS born_from,
    CASE WHEN p.bound IS DISTINCT FROM n.bound AND p.gateway IS NOT NULL THEN lower(
      (coalesce(p.bound, '{(,)}') + coalesce(n.bound, '{(,)}') - coalesce(p.bound, '{(,)}') * coalesce(n.bound, '{(,)}'))
      * tstzmultirange(tstzrange(n.first_said, greatest(n.first_said, %(now)s), '[]'))
    ) END AS bound_from,
    CASE WHEN p.looked_at <= %(stale)s OR ingest.day_of(p.looked_at - %(grace)s) < ingest.day_of(%(now)s - %(grace)s)
      THEN p.looked_at - %(grace)s
    END AS passed_from,
    p.gateway IS NULL OR p.births <> n.births OR p.bound IS DISTINCT FROM n.bound AS otherwise
  FROM now AS n
  LEFT JOIN ingest.count_progress AS p ON p.gateway = n.gateway
),
due AS (
  INSERT INTO ingest.count_due (gateway, day, since)
  SELECT c.gateway, d.day::date, %(now)s
  FROM changed AS c
  CROSS JOIN LATERAL generate_series(
    ingest.day_of(least(c.born_from, c.bound_from, c.passed_from)), ingest.day_of(%(now)s), interval '1 day'
  ) AS d (day)
  ON CONFLICT (gateway, day) DO NOTHING
)
INSERT INTO ingest.count_progress AS p (gateway, births, last_birth, bound, looked_at)
SELECT c.gateway, c.births, c.last_birth, c.bound, %(now)s
FROM changed AS c
WHERE c.otherwise OR c.passed_from IS NOT NULL
ON CONFLICT (gateway) DO UPDATE
SET births = excluded.births, last_birth = excluded.last_birth, bound = excluded.bound,
  looked_at = CASE WHEN p.looked_at <= %(stale)s OR ingest.day_of(p.looked_at - %(grace)s) < ingest.day_of(%(now)s - %(grace)s)
    THEN excluded.looked_at ELSE p.looked_at END
