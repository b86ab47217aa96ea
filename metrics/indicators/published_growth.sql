-- The yearly changes of the plan's years that are chained, all on one price basis; one year is one member.
WITH said AS (
  SELECT c.*
  FROM indicator.yearly_change(
    %(as_of)s, %(region)s, %(change_variable)s, %(level_variable)s, %(scope)s,
    extract(year FROM %(plan_start)s::date)::int, %(year)s, %(ytd_periods)s::text[], %(levels_allowed)s) AS c
),
basis AS (
  -- Of the bases that cover most years the one with most published changes, then the rule's order.
  SELECT s.price_basis
  FROM said AS s
  WHERE s.price_basis = ANY(%(price_bases)s::text[])
  GROUP BY s.price_basis
  ORDER BY count(*) DESC, count(*) FILTER (WHERE s.method = 'published') DESC,
    array_position(%(price_bases)s::text[], s.price_basis)
  LIMIT 1
)
SELECT
  concat_ws(' ', s.year, s.price_basis) AS member,
  CASE WHEN b.price_basis IS NULL THEN 'excluded' ELSE 'numerator' END AS counted,
  CASE WHEN b.price_basis IS NULL THEN 'other_price_basis' ELSE s.method END AS reason,
  s.published_at AS since,
  s.change AS amount,
  NULL::numeric AS weight,
  jsonb_build_object(
    'year', s.year, 'price_basis', s.price_basis, 'method', s.method, 'provisional', s.provisional,
    'vintage', s.vintage
  ) AS detail,
  s.source,
  s.legal_basis
FROM said AS s
LEFT JOIN basis AS b ON b.price_basis = s.price_basis
