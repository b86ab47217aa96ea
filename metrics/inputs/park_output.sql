SELECT %(period)s
WHERE NOT EXISTS (
  SELECT
  FROM registry.park_land_as_of(%(as_of)s) AS l
  JOIN stats.observation_as_of(%(as_of)s) AS o
    ON o.subject = l.area AND o.variable = 'industrial_output' AND o.scope = %(scope)s
    AND o.period = ANY(%(ytd_periods)s) AND o.price_basis = %(price_basis)s
  WHERE daterange(l.valid_from, l.valid_to) @> %(period_last)s::date
)
