-- Years of the plan, until the period, of which no yearly change is known on any price basis.
SELECT %(change_variable)s || ' ' || CASE WHEN y = %(year)s THEN %(period)s ELSE y::text END || ' (' || %(scope)s || ')'
  || CASE WHEN y = %(year)s AND right(%(period)s, 3) = '-01' AND %(scope)s LIKE 'industry_above_scale%%'
     THEN ': 规上 figures of January alone are not published; ask for ' || y::text || '-01..02' ELSE '' END
FROM generate_series(extract(year FROM %(plan_start)s::date)::int, %(year)s) AS y
WHERE NOT EXISTS (
  SELECT
  FROM indicator.yearly_change(
    %(as_of)s, %(region)s, %(change_variable)s, %(level_variable)s, %(scope)s,
    extract(year FROM %(plan_start)s::date)::int, %(year)s, %(ytd_periods)s::text[], %(levels_allowed)s) AS c
  WHERE c.year = y
)
ORDER BY y
