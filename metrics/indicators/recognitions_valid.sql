-- Everybody ever recognised as the kind, at any of the levels: counted are those whose recognition holds on the last day.
WITH recognised AS (
  SELECT
    r.uscc,
    CASE WHEN %(by_item)s THEN coalesce(r.item, '') ELSE '' END AS item,
    min(r.valid_from) AS first_on,
    bool_or(daterange(r.valid_from, r.valid_to) @> %(period_last)s::date) AS holds,
    max(r.valid_to) FILTER (WHERE r.valid_to <= %(period_last)s::date) AS ended_on,
    (array_agg(r.level ORDER BY array_position(ARRAY['national', 'municipal', 'district'], r.level), r.valid_from)
      FILTER (WHERE daterange(r.valid_from, r.valid_to) @> %(period_last)s::date))[1] AS level,
    string_agg(DISTINCT r.document, '; ') AS source,
    max(indicator.strictness(r.legal_basis)) AS strictness
  FROM registry.recognition_as_of(%(as_of)s) AS r
  WHERE r.kind = %(kind)s AND r.level = ANY(%(levels)s)
  GROUP BY 1, 2
),
described AS (
  SELECT DISTINCT ON (r.uscc, r.item)
    r.*,
    indicator.in_region(a.registered_region, a.statistical_region, %(region)s) AS in_region,
    a.sector, a.size,
    greatest(r.strictness, indicator.strictness(a.legal_basis)) AS strictest
  FROM recognised AS r
  LEFT JOIN registry.enterprise_attribute_as_of(%(as_of)s) AS a ON a.uscc = r.uscc
  ORDER BY r.uscc, r.item, daterange(a.valid_from, a.valid_to) @> %(period_last)s::date DESC, a.valid_from
),
reasoned AS (
  SELECT *,
    CASE
      WHEN first_on >= %(period_end)s THEN 'after_period'
      WHEN NOT holds THEN 'revoked_or_expired'
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
  CASE reason WHEN 'revoked_or_expired' THEN ended_on ELSE first_on END AS since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  jsonb_strip_nulls(jsonb_build_object('level', level, 'sector', sector, 'size', size)) AS detail,
  source,
  indicator.basis(strictest) AS legal_basis
FROM reasoned
