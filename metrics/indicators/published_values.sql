-- Published figures of the region from January until the end of the period; one row is one member.
WITH wanted AS (
  SELECT w.*
  FROM unnest(%(variables)s::text[], %(scopes)s::text[], %(units)s::text[], %(uses)s::text[])
    AS w (variable, scope, wanted_unit, use)
),
said AS (
  SELECT p.*, w.use, w.wanted_unit, stats.in_unit(p.value, p.unit, w.wanted_unit) AS amount
  FROM indicator.published(
    %(as_of)s, %(region)s, %(variables)s::text[], %(scopes)s::text[],
    CASE WHEN %(cumulate)s THEN
      indicator.whole_years(extract(year FROM %(plan_start)s::date)::int, %(year)s - 1) ELSE '{}' END
      || %(ytd_periods)s::text[]
  ) AS p
  JOIN wanted AS w ON w.variable = p.variable AND w.scope = p.scope
),
basis AS (
  -- The first price basis on which all that is wanted is known.
  SELECT b.price_basis
  FROM unnest(%(price_bases)s::text[]) WITH ORDINALITY AS b (price_basis, place)
  WHERE NOT EXISTS (
    SELECT FROM wanted AS w
    WHERE w.use <> 'beside' AND NOT EXISTS (
      SELECT FROM said AS s
      WHERE s.variable = w.variable AND s.scope = w.scope AND s.price_basis = b.price_basis
        AND s.amount IS NOT NULL)
  )
  ORDER BY b.place LIMIT 1
),
reasoned AS (
  SELECT s.*,
    CASE
      WHEN s.use = 'beside' THEN 'beside'
      WHEN s.price_basis IS DISTINCT FROM b.price_basis THEN 'other_price_basis'
      WHEN s.amount IS NULL THEN 'unit_of_another_kind'
      ELSE 'qualified'
    END AS reason
  FROM said AS s
  LEFT JOIN basis AS b ON true
)
SELECT
  concat_ws(' ', variable, period, scope, price_basis) AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' WHEN 'beside' THEN 'apart' ELSE 'excluded' END AS counted,
  reason,
  published_at AS since,
  CASE WHEN use IN ('amount', 'beside') THEN amount END AS amount,
  CASE WHEN use = 'weight' THEN amount END AS weight,
  jsonb_build_object(
    'variable', variable, 'scope', scope, 'price_basis', price_basis, 'period', period, 'vintage', vintage,
    'unit', wanted_unit, 'observation', observation_id
  ) AS detail,
  source,
  legal_basis
FROM reasoned
