SELECT %(kind)s
WHERE NOT EXISTS (
  SELECT FROM registry.recognition_as_of(%(as_of)s) AS r
  WHERE r.kind = %(kind)s AND r.level = ANY(%(levels)s) AND r.valid_from < %(period_end)s
)
