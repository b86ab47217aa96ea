SELECT %(kind)s
WHERE NOT EXISTS (
  SELECT FROM registry.project_as_of(%(as_of)s) AS p WHERE p.kind = %(kind)s AND p.valid_from < %(period_end)s
)
