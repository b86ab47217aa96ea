-- Every enterprise that any platform's roster or contract names, and whether it is an SME brought onto a platform.
WITH member AS (
  SELECT m.*, recognised.since AS recognised_since
  FROM registry.platform_member_as_of(%(as_of)s) AS m
  LEFT JOIN LATERAL (
    -- The first day of this row on which the platform's word counted.
    SELECT min(greatest(p.valid_from, m.valid_from)) AS since
    FROM registry.platform_attribute_as_of(%(as_of)s) AS p
    WHERE p.platform = m.platform AND (p.recognised OR NOT %(recognised_only)s)
      AND daterange(p.valid_from, p.valid_to) && daterange(m.valid_from, m.valid_to)
  ) AS recognised ON true
),
enterprise AS (
  SELECT
    uscc,
    bool_or(grade = %(grade)s) AS attested,
    min(grade) AS other_grade,
    bool_or(grade = %(grade)s AND recognised_since IS NOT NULL) AS recognised,
    bool_or(grade = %(grade)s AND state = 'withdrawn') AS withdrawn,
    min(recognised_since) FILTER (WHERE grade = %(grade)s AND state = ANY(%(qualifying_states)s)) AS first_on,
    count(DISTINCT platform) FILTER (WHERE grade = %(grade)s AND recognised_since IS NOT NULL) AS platforms,
    string_agg(DISTINCT platform || ' ' || source, '; ') AS source,
    max(indicator.strictness(legal_basis)) AS strictness
  FROM member
  GROUP BY uscc
),
sized AS (
  -- Of those whose size the register does not know, the size that their figures make by the rule.
  SELECT uscc, size FROM registry.enterprise_size(%(period_last)s, %(as_of)s) WHERE found IS DISTINCT FROM 'register'
),
described AS (
  SELECT
    e.*,
    CASE WHEN a.size = 'unknown' THEN coalesce(z.size, 'unknown') ELSE a.size END AS size,
    indicator.in_region(a.registered_region, a.statistical_region, %(region)s) AS in_region,
    EXISTS (
      SELECT
      FROM registry.roster_as_of(%(as_of)s) AS r
      WHERE r.roster = %(large_roster)s AND r.uscc = e.uscc AND daterange(r.valid_from, r.valid_to) @> e.first_on
    ) AS large,
    greatest(e.strictness, indicator.strictness(a.legal_basis)) AS strictest
  FROM enterprise AS e
  LEFT JOIN registry.enterprise_attribute_as_of(%(as_of)s) AS a
    ON a.uscc = e.uscc AND daterange(a.valid_from, a.valid_to) @> e.first_on
  LEFT JOIN sized AS z ON z.uscc = e.uscc
),
reasoned AS (
  SELECT
    *,
    CASE
      WHEN NOT attested THEN other_grade
      WHEN NOT recognised THEN 'platform_not_recognised'
      WHEN first_on IS NULL AND withdrawn THEN 'withdrawn'
      WHEN first_on IS NULL THEN 'registered_only'
      WHEN first_on < %(plan_start)s THEN 'before_plan'
      WHEN first_on > %(plan_end)s THEN 'after_plan'
      WHEN first_on >= %(period_end)s THEN 'after_period'
      WHEN in_region IS NULL THEN 'region_unknown'
      WHEN NOT in_region THEN 'outside_region'
      WHEN large THEN 'large'
      WHEN size = 'unknown' THEN 'size_unknown'
      ELSE 'qualified'
    END AS reason
  FROM described
)
SELECT
  uscc AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' WHEN 'size_unknown' THEN 'apart' ELSE 'excluded' END AS counted,
  reason,
  first_on AS since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  jsonb_build_object(
    'year', extract(year FROM first_on)::int::text,
    'platforms', platforms,
    'prefix_elsewhere', substr(uscc, 3, 6) <> %(region)s
  ) AS detail,
  source,
  indicator.basis(strictest) AS legal_basis
FROM reasoned
