-- Figures that are wanted and were not published for the period, on any price basis.
SELECT w.variable || ' ' || %(period)s || ' (' || w.scope || ')'
  || CASE WHEN right(%(period)s, 3) = '-01' AND w.scope LIKE 'industry_above_scale%%'
     THEN ': 规上 figures of January alone are not published; ask for ' || left(%(period)s, 4) || '-01..02' ELSE '' END
FROM unnest(%(variables)s::text[], %(scopes)s::text[], %(uses)s::text[]) WITH ORDINALITY
  AS w (variable, scope, use, place)
WHERE w.use <> 'beside'
  AND NOT EXISTS (
    SELECT
    FROM indicator.published(
      %(as_of)s, %(region)s, %(variables)s::text[], %(scopes)s::text[], %(ytd_periods)s::text[]) AS p
    WHERE p.variable = w.variable AND p.scope = w.scope
  )
ORDER BY w.place
