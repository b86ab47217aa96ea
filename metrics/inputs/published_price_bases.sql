-- Figures that are there, and have no price basis in common: they are never set against each other.
WITH said AS (
  SELECT p.*
  FROM indicator.published(
    %(as_of)s, %(region)s, %(variables)s::text[], %(scopes)s::text[], %(ytd_periods)s::text[]) AS p
  JOIN unnest(%(variables)s::text[], %(scopes)s::text[], %(uses)s::text[]) AS w (variable, scope, use)
    ON w.variable = p.variable AND w.scope = p.scope AND w.use <> 'beside'
),
wanted AS (
  SELECT count(DISTINCT (w.variable, w.scope)) AS many
  FROM unnest(%(variables)s::text[], %(scopes)s::text[], %(uses)s::text[]) AS w (variable, scope, use)
  WHERE w.use <> 'beside'
)
SELECT s.variable || ' ' || s.period || ' ' || s.price_basis || ' (' || s.source || ')'
FROM said AS s
WHERE (SELECT count(DISTINCT (o.variable, o.scope)) FROM said AS o) = (SELECT many FROM wanted)
  AND NOT EXISTS (
    SELECT FROM said AS o GROUP BY o.price_basis
    HAVING count(DISTINCT (o.variable, o.scope)) = (SELECT many FROM wanted)
  )
ORDER BY s.variable, s.price_basis
