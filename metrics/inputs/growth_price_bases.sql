-- Changes that are there for every year, and on no single price basis: they are never chained.
WITH said AS (
  SELECT c.*
  FROM indicator.yearly_change(
    %(as_of)s, %(region)s, %(change_variable)s, %(level_variable)s, %(scope)s,
    extract(year FROM %(plan_start)s::date)::int, %(year)s, %(ytd_periods)s::text[], %(levels_allowed)s) AS c
),
wanted AS (
  SELECT %(year)s - extract(year FROM %(plan_start)s::date)::int + 1 AS many
)
SELECT %(change_variable)s || ' ' || s.year::text || ' ' || s.price_basis || ' (' || s.source || ')'
FROM said AS s
WHERE (SELECT count(DISTINCT o.year) FROM said AS o) = (SELECT many FROM wanted)
  AND NOT EXISTS (
    SELECT FROM said AS o WHERE o.price_basis = ANY(%(price_bases)s::text[])
    GROUP BY o.price_basis HAVING count(*) = (SELECT many FROM wanted)
  )
ORDER BY s.year, s.price_basis
