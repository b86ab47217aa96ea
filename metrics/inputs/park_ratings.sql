SELECT ''
WHERE NOT EXISTS (
  SELECT
  FROM registry.area_attribute_as_of(%(as_of)s) AS a
  JOIN registry.area AS p ON p.area = a.area AND p.kind = 'park'
  WHERE a.stars IS NOT NULL AND daterange(a.valid_from, a.valid_to) @> %(period_last)s::date
)
