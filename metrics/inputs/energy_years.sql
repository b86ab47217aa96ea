-- Years of the plan, until the period, of which no change of energy per value added is known on the rule's electricity
-- basis.
SELECT 'energy_intensity_change, or energy_consumption_change and industrial_value_added_change, '
  || CASE WHEN y = %(year)s THEN %(period)s ELSE y::text END
  || ' (' || %(scope)s || ', ' || %(electricity_basis)s || ')'
FROM generate_series(extract(year FROM %(plan_start)s::date)::int, %(year)s) AS y
WHERE NOT EXISTS (
  SELECT
  FROM indicator.energy_change(
    %(as_of)s, %(region)s, %(scope)s, extract(year FROM %(plan_start)s::date)::int, %(year)s, %(ytd_periods)s::text[],
    %(levels_allowed)s) AS c
  WHERE c.year = y AND c.electricity_basis = %(electricity_basis)s
)
ORDER BY y
