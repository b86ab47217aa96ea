-- Everybody ever recognised as the kind, at any of the levels: new are those whose first recognition lies in the plan.
WITH recognised AS (
  SELECT
    r.uscc,
    CASE WHEN %(by_item)s THEN coalesce(r.item, '') ELSE '' END AS item,
    min(r.valid_from) AS first_on,
    bool_or(daterange(r.valid_from, r.valid_to) @> %(period_last)s::date) AS holds,
    (array_agg(r.level ORDER BY r.valid_from, r.level))[1] AS first_level,
    count(DISTINCT r.level) AS levels,
    string_agg(DISTINCT r.document, '; ') AS source,
    max(indicator.strictness(r.legal_basis)) AS strictness
  FROM registry.recognition_as_of(%(as_of)s) AS r
  WHERE r.kind = %(kind)s AND r.level = ANY(%(levels)s)
  GROUP BY 1, 2
),
described AS (
  -- Where it was then; of an enterprise that the register knows only from later on, where it was first known.
  SELECT DISTINCT ON (r.uscc, r.item)
    r.*,
    indicator.in_region(a.registered_region, a.statistical_region, %(region)s) AS in_region,
    a.sector, a.size,
    greatest(r.strictness, indicator.strictness(a.legal_basis)) AS strictest
  FROM recognised AS r
  LEFT JOIN registry.enterprise_attribute_as_of(%(as_of)s) AS a ON a.uscc = r.uscc
  ORDER BY r.uscc, r.item, daterange(a.valid_from, a.valid_to) @> r.first_on DESC, a.valid_from
),
reasoned AS (
  SELECT *,
    CASE
      WHEN first_on < %(plan_start)s THEN 'before_plan'
      WHEN first_on > %(plan_end)s THEN 'after_plan'
      WHEN first_on >= %(period_end)s THEN 'after_period'
      WHEN in_region IS NULL THEN 'region_unknown'
      WHEN NOT in_region THEN 'outside_region'
      ELSE 'qualified'
    END AS reason
  FROM described
)
SELECT
  uscc || CASE WHEN item = '' THEN '' ELSE ' ' || item END AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' ELSE 'excluded' END AS counted,
  reason,
  first_on AS since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  jsonb_build_object(
    'year', extract(year FROM first_on)::int::text, 'level', first_level, 'revoked', NOT holds, 'sector', sector,
    'size', size
  ) AS detail,
  source,
  indicator.basis(strictest) AS legal_basis
FROM reasoned
