-- Parks with land supplied on the last day, and what industry above scale turned out there; output that was not
-- published leaves the park's land out too.
WITH land AS (
  SELECT l.area, l.supplied_km2, l.valid_from, l.source, l.legal_basis
  FROM registry.park_land_as_of(%(as_of)s) AS l
  WHERE daterange(l.valid_from, l.valid_to) @> %(period_last)s::date
),
output AS (
  SELECT DISTINCT ON (o.subject) o.subject AS area, stats.in_unit(o.value, o.unit, %(unit)s) AS output, o.vintage, o.source, o.legal_basis
  FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = 'industrial_output' AND o.scope = %(scope)s AND o.price_basis = %(price_basis)s
    AND o.period = ANY(%(ytd_periods)s) AND o.subject = ANY(ARRAY(SELECT land.area FROM land))
  ORDER BY o.subject, array_position(%(ytd_periods)s::text[], o.period)
)
SELECT
  l.area AS member,
  CASE WHEN o.output IS NULL OR l.supplied_km2 = 0 THEN 'excluded' ELSE 'numerator' END AS counted,
  CASE WHEN l.supplied_km2 = 0 THEN 'no_land' WHEN o.output IS NULL THEN 'output_missing' ELSE 'qualified' END AS reason,
  l.valid_from AS since,
  o.output AS amount,
  CASE WHEN o.output IS NOT NULL THEN l.supplied_km2 END AS weight,
  jsonb_strip_nulls(jsonb_build_object('land', l.supplied_km2::text, 'vintage', o.vintage)) AS detail,
  concat_ws('; ', l.source, o.source) AS source,
  indicator.basis(greatest(indicator.strictness(l.legal_basis), indicator.strictness(o.legal_basis))) AS legal_basis
FROM land AS l
LEFT JOIN output AS o USING (area)
