-- Standards of the level that enterprises of the district took part in; each counts once, whoever else took part.
WITH part AS (
  SELECT DISTINCT ON (s.uscc, s.standard)
    s.standard, s.uscc, s.valid_from, s.role, s.revision, s.source,
    coalesce(indicator.in_region(a.registered_region, a.statistical_region, %(region)s), false) AS in_region,
    greatest(indicator.strictness(s.legal_basis), indicator.strictness(a.legal_basis)) AS strictness
  FROM registry.standard_participation_as_of(%(as_of)s) AS s
  LEFT JOIN registry.enterprise_attribute_as_of(%(as_of)s) AS a ON a.uscc = s.uscc
  WHERE s.level = %(level)s
  ORDER BY s.uscc, s.standard, s.valid_from, daterange(a.valid_from, a.valid_to) @> s.valid_from DESC, a.valid_from
),
standard AS (
  SELECT
    standard,
    min(valid_from) AS published_on,
    bool_or(in_region) AS in_region,
    count(*) FILTER (WHERE in_region) AS enterprises,
    bool_or(role = 'lead' AND in_region) AS led,
    bool_and(revision) AS revision,
    string_agg(DISTINCT source, '; ') AS source,
    max(strictness) AS strictness
  FROM part
  GROUP BY standard
),
reasoned AS (
  SELECT *,
    CASE
      WHEN published_on < %(plan_start)s THEN 'before_plan'
      WHEN published_on > %(plan_end)s THEN 'after_plan'
      WHEN published_on >= %(period_end)s THEN 'after_period'
      WHEN NOT in_region THEN 'outside_region'
      ELSE 'qualified'
    END AS reason
  FROM standard
)
SELECT
  standard AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' ELSE 'excluded' END AS counted,
  reason,
  published_on AS since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  jsonb_build_object(
    'year', extract(year FROM published_on)::int::text, 'enterprises', enterprises, 'led', led, 'revision', revision
  ) AS detail,
  source,
  indicator.basis(strictness) AS legal_basis
FROM reasoned
