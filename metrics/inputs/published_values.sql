-- Figures that are wanted and were not published, on any price basis: of the period, and, where the plan's years are added
-- up, of each year before it.
SELECT w.variable || ' ' || p.period || ' (' || w.scope || ')'
  || CASE WHEN right(p.period, 3) = '-01' AND w.scope LIKE 'industry_above_scale%%'
     THEN ': 规上 figures of January alone are not published; ask for ' || left(p.period, 4) || '-01..02' ELSE '' END
FROM unnest(%(variables)s::text[], %(scopes)s::text[], %(uses)s::text[]) WITH ORDINALITY
  AS w (variable, scope, use, place)
CROSS JOIN (
  SELECT y::text AS period, indicator.whole_years(y, y) AS written
  FROM generate_series(extract(year FROM %(plan_start)s::date)::int, %(year)s - 1) AS y
  WHERE %(cumulate)s
  UNION ALL
  SELECT %(period)s, %(ytd_periods)s::text[]
) AS p
WHERE w.use <> 'beside'
  AND NOT EXISTS (
    SELECT
    FROM indicator.published(
      %(as_of)s, %(region)s, %(variables)s::text[], %(scopes)s::text[], p.written) AS f
    WHERE f.variable = w.variable AND f.scope = w.scope
  )
ORDER BY w.place, p.period
