-- Parks of the district, and which of them hold a rating on the last day.
SELECT
  a.area AS member,
  CASE WHEN a.stars >= %(min_stars)s THEN 'numerator' ELSE 'excluded' END AS counted,
  CASE WHEN a.stars >= %(min_stars)s THEN 'qualified' WHEN a.stars IS NULL THEN 'not_rated' ELSE 'too_few_stars' END AS reason,
  a.valid_from AS since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  jsonb_strip_nulls(jsonb_build_object('stars', a.stars, 'tier', a.tier)) AS detail,
  a.source,
  a.legal_basis
FROM registry.area_attribute_as_of(%(as_of)s) AS a
JOIN registry.area AS p ON p.area = a.area AND p.kind = 'park'
WHERE daterange(a.valid_from, a.valid_to) @> %(period_last)s::date
