SELECT %(equipment_variable)s
WHERE NOT EXISTS (
  SELECT FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = %(equipment_variable)s AND o.scope = 'enterprise' AND o.uscc IS NOT NULL
    AND o.period_start < %(period_end)s
)
