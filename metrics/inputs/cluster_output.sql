SELECT %(period)s
WHERE NOT EXISTS (
  SELECT FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = 'industrial_output' AND o.period = ANY(%(ytd_periods)s) AND o.scope = 'enterprise'
    AND o.price_basis = %(price_basis)s AND o.uscc IS NOT NULL
)
