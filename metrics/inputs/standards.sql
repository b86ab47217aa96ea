SELECT %(level)s
WHERE NOT EXISTS (
  SELECT FROM registry.standard_participation_as_of(%(as_of)s) AS p
  WHERE p.level = %(level)s AND p.valid_from < %(period_end)s
)
