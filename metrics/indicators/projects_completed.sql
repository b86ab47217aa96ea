-- Enterprises with a project of the kind: counted are those with one that was completed in the plan.
WITH project AS (
  SELECT p.*,
    p.state = 'completed' AND p.completed_on BETWEEN %(plan_start)s AND %(plan_end)s
      AND p.completed_on < %(period_end)s AS done
  FROM registry.project_as_of(%(as_of)s) AS p
  WHERE p.kind = %(kind)s AND daterange(p.valid_from, p.valid_to) @> %(period_last)s::date
),
enterprise AS (
  SELECT
    uscc,
    bool_or(done) AS done,
    min(completed_on) FILTER (WHERE done) AS first_on,
    bool_or(state = 'completed' AND completed_on < %(plan_start)s) AS before,
    bool_or(state = 'completed') AS completed,
    bool_and(state = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE done) AS projects,
    string_agg(DISTINCT coalesce(document, source), '; ') AS source,
    max(indicator.strictness(legal_basis)) AS strictness
  FROM project
  GROUP BY uscc
),
described AS (
  SELECT DISTINCT ON (e.uscc)
    e.*,
    indicator.in_region(a.registered_region, a.statistical_region, %(region)s) AS in_region,
    a.sector, a.size,
    greatest(e.strictness, indicator.strictness(a.legal_basis)) AS strictest
  FROM enterprise AS e
  LEFT JOIN registry.enterprise_attribute_as_of(%(as_of)s) AS a ON a.uscc = e.uscc
  ORDER BY e.uscc, daterange(a.valid_from, a.valid_to) @> coalesce(e.first_on, %(period_last)s::date) DESC, a.valid_from
),
reasoned AS (
  SELECT *,
    CASE
      WHEN cancelled THEN 'cancelled'
      WHEN NOT completed THEN 'not_completed'
      WHEN NOT done AND before THEN 'before_plan'
      WHEN NOT done THEN 'after_period'
      WHEN in_region IS NULL THEN 'region_unknown'
      WHEN NOT in_region THEN 'outside_region'
      ELSE 'qualified'
    END AS reason
  FROM described
)
SELECT
  uscc AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' ELSE 'excluded' END AS counted,
  reason,
  first_on AS since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  jsonb_strip_nulls(jsonb_build_object(
    'year', extract(year FROM first_on)::int::text, 'projects', projects, 'sector', sector, 'size', size)) AS detail,
  source,
  indicator.basis(strictest) AS legal_basis
FROM reasoned
