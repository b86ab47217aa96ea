-- Every vintage of values, as published by a day and known at a time, with which of each key counts.
SELECT
  o.variable, o.subject, o.period, o.period_start, o.period_end, o.value, o.unit, o.scope, o.price_basis, o.vintage,
  o.published_at, o.legal_basis, o.source, c.observation_id IS NOT NULL
FROM stats.observation AS o
LEFT JOIN stats.observation_published(%(by_day)s, %(known_at)s) AS c
  ON c.observation_id = o.observation_id AND c.variable = o.variable AND c.period = o.period AND c.subject = o.subject
  AND c.variable = %(variable)s AND (%(subject)s::text IS NULL OR c.subject = %(subject)s)
WHERE o.variable = %(variable)s
  AND (%(subject)s::text IS NULL OR o.subject = %(subject)s)
  AND (%(period)s::text IS NULL OR o.period = %(period)s)
  AND o.published_at <= %(by_day)s AND o.recorded_at <= %(known_at)s
ORDER BY o.subject, o.period_start, o.period_end, o.scope, o.price_basis, o.published_at, o.recorded_at, o.observation_id
