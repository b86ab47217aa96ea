SELECT to_char(%(period_last)s::date, 'YYYY-MM-DD')
WHERE NOT EXISTS (
  SELECT FROM registry.park_land_as_of(%(as_of)s) AS l
  WHERE daterange(l.valid_from, l.valid_to) @> %(period_last)s::date AND l.supplied_km2 > 0
)
