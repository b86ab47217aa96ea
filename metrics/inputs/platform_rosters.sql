SELECT ''
WHERE NOT EXISTS (
  SELECT
  FROM registry.platform_member_as_of(%(as_of)s) AS m
  JOIN registry.platform_attribute_as_of(%(as_of)s) AS p USING (platform)
  WHERE m.grade = %(grade)s AND (p.recognised OR NOT %(recognised_only)s)
    AND daterange(m.valid_from, m.valid_to) && daterange(p.valid_from, p.valid_to)
    AND m.valid_from < %(period_end)s
)
