-- Every enterprise that a gateway was ever bound to: counted from the first day on which enough of the days before it, that
-- day included, brought data of enough devices.
WITH bound AS (
  SELECT b.gateway, b.uscc, b.valid_from, b.valid_to, b.source, indicator.strictness(b.legal_basis) AS strictness
  FROM registry.gateway_binding_as_of(%(as_of)s) AS b
),
told AS (
  -- Devices by day first: a fifth of the rows remain to be set against bindings.
  SELECT c.day, s.gateway, s.device
  FROM ingest.completeness AS c
  JOIN ingest.series AS s ON s.series_id = c.series_id
  WHERE c.received > 0 AND c.day < %(period_end)s
  GROUP BY c.day, s.gateway, s.device
),
active AS (
  SELECT b.uscc, t.day
  FROM told AS t
  JOIN bound AS b ON b.gateway = t.gateway
    AND b.valid_from < ingest.day_start(t.day + 1) AND (b.valid_to IS NULL OR b.valid_to > ingest.day_start(t.day))
  GROUP BY b.uscc, t.day
  HAVING count(DISTINCT t.gateway || chr(31) || t.device) >= %(min_devices)s
),
ranked AS (
  SELECT uscc, day, lag(day, %(min_days_with_data)s - 1) OVER (PARTITION BY uscc ORDER BY day) AS earlier
  FROM active
),
reached AS (
  SELECT uscc, min(day) AS first_on FROM ranked WHERE day - earlier < %(window_days)s GROUP BY uscc
),
enterprise AS (
  SELECT uscc, string_agg(DISTINCT source, '; ') AS source, max(strictness) AS strictness
  FROM bound
  WHERE valid_from < %(to_t)s
  GROUP BY uscc
),
days AS (
  SELECT uscc, count(*) AS days, max(day) AS last_day FROM active GROUP BY uscc
),
sized AS (
  SELECT uscc, size FROM registry.enterprise_size(%(period_last)s, %(as_of)s) WHERE found IS DISTINCT FROM 'register'
),
described AS (
  SELECT
    e.*, r.first_on, coalesce(d.days, 0) AS days, d.last_day,
    indicator.in_region(a.registered_region, a.statistical_region, %(region)s) AS in_region,
    CASE WHEN a.size = 'unknown' THEN coalesce(z.size, 'unknown') ELSE a.size END AS size, a.sector,
    c.uscc IS NOT NULL AS consented,
    l.uscc IS NOT NULL AS large,
    greatest(e.strictness, indicator.strictness(a.legal_basis), indicator.strictness('consented')) AS strictest
  FROM enterprise AS e
  LEFT JOIN days AS d USING (uscc)
  LEFT JOIN reached AS r USING (uscc)
  LEFT JOIN registry.enterprise_attribute_as_of(%(as_of)s) AS a
    ON a.uscc = e.uscc AND daterange(a.valid_from, a.valid_to) @> coalesce(r.first_on, %(period_last)s::date)
  LEFT JOIN sized AS z ON z.uscc = e.uscc
  LEFT JOIN registry.consent_as_of(%(as_of)s) AS c
    ON c.uscc = e.uscc AND c.purpose = %(consent_purpose)s AND daterange(c.valid_from, c.valid_to) @> %(period_last)s::date
  LEFT JOIN registry.roster_as_of(%(as_of)s) AS l
    ON l.uscc = e.uscc AND l.roster = %(large_roster)s AND daterange(l.valid_from, l.valid_to) @> r.first_on
),
reasoned AS (
  SELECT *,
    CASE
      WHEN NOT consented THEN 'no_consent'
      WHEN days = 0 THEN 'no_data'
      WHEN first_on IS NULL THEN 'too_few_days'
      WHEN first_on < %(plan_start)s THEN 'before_plan'
      WHEN first_on > %(plan_end)s THEN 'after_plan'
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
  jsonb_strip_nulls(jsonb_build_object(
    'year', extract(year FROM first_on)::int::text,
    'state', CASE
      WHEN days = 0 THEN 'registered'
      WHEN first_on IS NULL THEN 'connected'
      WHEN last_day < %(period_end)s::date - %(window_days)s THEN 'dormant'
      ELSE 'active'
    END,
    'days', days, 'sector', sector, 'size', size)) AS detail,
  source,
  indicator.basis(strictest) AS legal_basis
FROM reasoned
