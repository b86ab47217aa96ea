SELECT ''
WHERE NOT EXISTS (
  SELECT
  FROM registry.meter_placement_as_of(%(as_of)s) AS p
  JOIN registry.meter_series_as_of(%(as_of)s) AS s USING (meter_id)
  WHERE p.role = 'boundary'
    AND tstzrange(p.valid_from, p.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
    AND tstzrange(s.valid_from, s.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
)
