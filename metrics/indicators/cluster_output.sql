-- Clusters of the tier, and what the enterprises on their lists turned out; each enterprise counts in one cluster.
-- A cluster that falls short while output of some is unknown is not said to be too small: it stands apart.
WITH cluster AS (
  SELECT a.cluster, a.name_zh, a.source
  FROM registry.cluster_attribute_as_of(%(as_of)s) AS a
  WHERE a.tier = %(tier)s AND daterange(a.valid_from, a.valid_to) @> %(period_last)s::date
),
listed AS (
  SELECT m.cluster, m.uscc, m.document, m.legal_basis
  FROM registry.cluster_member_as_of(%(as_of)s) AS m
  WHERE daterange(m.valid_from, m.valid_to) @> %(period_last)s::date
),
output AS (
  SELECT DISTINCT ON (o.uscc) o.uscc, stats.in_unit(o.value, o.unit, %(unit)s) AS output, o.legal_basis
  FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = 'industrial_output' AND o.scope = 'enterprise' AND o.price_basis = %(price_basis)s
    AND o.period = ANY(%(ytd_periods)s) AND o.uscc IS NOT NULL
  ORDER BY o.uscc, array_position(%(ytd_periods)s::text[], o.period)
),
summed AS (
  SELECT
    c.cluster,
    min(c.name_zh) AS name_zh,
    count(l.uscc) AS enterprises,
    count(o.output) AS reported,
    sum(o.output) AS output,
    concat_ws('; ', min(c.source), string_agg(DISTINCT l.document, '; ')) AS source,
    coalesce(max(greatest(indicator.strictness(l.legal_basis), indicator.strictness(o.legal_basis))), 1) AS strictness
  FROM cluster AS c
  LEFT JOIN listed AS l USING (cluster)
  LEFT JOIN output AS o USING (uscc)
  GROUP BY c.cluster
),
reasoned AS (
  SELECT *,
    CASE
      WHEN output >= %(threshold)s THEN 'qualified'
      WHEN enterprises = 0 THEN 'no_list'
      WHEN reported < enterprises THEN 'output_incomplete'
      ELSE 'too_small'
    END AS reason
  FROM summed
)
SELECT
  cluster AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' WHEN 'output_incomplete' THEN 'apart' ELSE 'excluded' END AS counted,
  reason,
  NULL::date AS since,
  -- A sum over fewer than three would tell the output of one of them.
  CASE WHEN reported >= 3 THEN output END AS amount,
  NULL::numeric AS weight,
  jsonb_build_object('name', name_zh, 'enterprises', enterprises, 'reported', reported) AS detail,
  source,
  -- An aggregate of single returns, which may be told; below three of them nothing is told.
  indicator.basis(CASE WHEN reported >= 3 THEN 2 ELSE strictness END) AS legal_basis
FROM reasoned
