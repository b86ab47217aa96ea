-- Enterprises with a boundary meter in the month; those in the panel with their energy (tce) and value added (万元).
WITH placed AS (
  SELECT
    p.meter_id, p.uscc, p.role, m.carrier, m.unit, e.energy AS energy_kind,
    p.valid_from <= %(from_t)s AND (p.valid_to IS NULL OR p.valid_to >= %(to_t)s) AS whole,
    p.source,
    indicator.strictness(p.legal_basis) AS strictness
  FROM registry.meter_placement_as_of(%(as_of)s) AS p
  JOIN registry.meter AS m USING (meter_id)
  LEFT JOIN stats.energy AS e ON e.carrier = m.carrier
  WHERE p.role IN ('boundary', 'generation')
    AND tstzrange(p.valid_from, p.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
    AND (%(include_working_media)s OR NOT coalesce(e.working_medium, false))
),
fed AS (
  -- What tells each register in the month, and whether all of its gateways stand at the meter's enterprise meanwhile.
  SELECT p.meter_id, p.uscc, s.feed_in, bool_and(b.gateway IS NOT NULL) AS bound
  FROM placed AS p
  JOIN registry.meter_series_as_of(%(as_of)s) AS s
    ON s.meter_id = p.meter_id AND tstzrange(s.valid_from, s.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
  LEFT JOIN registry.gateway_binding_as_of(%(as_of)s) AS b
    ON b.gateway = s.gateway AND b.uscc = p.uscc
    AND tstzrange(b.valid_from, b.valid_to)
      @> (tstzrange(s.valid_from, s.valid_to) * tstzrange(%(from_t)s, %(to_t)s))
  GROUP BY p.meter_id, p.uscc, s.feed_in
),
register AS (
  -- What a meter draws is always expected, connected or not; what it feeds back only where a series tells it.
  SELECT placed.*, false AS feed_in FROM placed
  UNION ALL
  SELECT placed.*, true FROM placed JOIN fed USING (meter_id, uscc) WHERE fed.feed_in
),
metered AS (
  SELECT
    meter_id, feed_in, sum(energy) AS energy, sum(measured + estimated) AS complete, sum(estimated) AS estimated
  FROM energy.day
  WHERE day >= %(period_start)s AND day < %(period_end)s
  GROUP BY meter_id, feed_in
),
counted AS (
  SELECT
    r.*,
    d.energy * CASE WHEN r.feed_in THEN -1 ELSE 1 END AS energy,
    coalesce(d.complete, 0) AS complete,
    coalesce(d.estimated, 0) AS estimated,
    f.value AS factor,
    fed.meter_id IS NOT NULL AS connected,
    coalesce(fed.bound, true) AS bound
  FROM register AS r
  LEFT JOIN fed USING (meter_id, uscc, feed_in)
  LEFT JOIN metered AS d USING (meter_id, feed_in)
  LEFT JOIN LATERAL stats.resolve_factor(
    %(factor_set)s, %(factor_set_version)s, r.energy_kind, %(factor_basis)s, %(factor_regions)s, r.uscc,
    %(period_last)s, %(as_of)s, 'kgce/' || r.unit
  ) AS f ON true
),
enterprise AS (
  SELECT
    uscc,
    bool_or(role = 'boundary') AS has_boundary,
    bool_and(whole) AS whole,
    bool_and(connected) AS connected,
    bool_and(bound) AS bound,
    bool_and(factor IS NOT NULL) AS convertible,
    -- Each register by itself: one that is silent would otherwise count as 0 beside others that are complete.
    bool_and(complete >= %(min_completeness)s * 96 * (%(period_end)s::date - %(period_start)s::date)) AS whole_enough,
    sum(complete) AS complete,
    sum(estimated) AS estimated,
    count(*) * 96 * (%(period_end)s::date - %(period_start)s::date) AS expected,
    sum(energy * factor) * 0.001 AS tce,
    string_agg(DISTINCT carrier, ', ' ORDER BY carrier) AS carriers,
    string_agg(DISTINCT source, '; ') AS source,
    max(strictness) AS strictness
  FROM counted
  GROUP BY uscc
),
reported AS (
  SELECT uscc, value, vintage, source
  FROM stats.observation_as_of(%(as_of)s)
  WHERE variable = %(value_added_variable)s AND period = %(period)s AND scope = %(value_added_scope)s
    AND price_basis = %(value_added_price_basis)s AND unit = %(value_added_unit)s
    AND uscc IS NOT NULL AND legal_basis = 'consented'
),
consented AS (
  SELECT uscc
  FROM registry.consent_as_of(%(as_of)s)
  WHERE purpose = %(consent_purpose)s
    AND daterange(valid_from, valid_to) @> daterange(%(period_start)s, %(period_end)s)
),
reasoned AS (
  SELECT
    e.*,
    v.value AS value_added,
    v.vintage,
    concat_ws('; ', e.source, v.source) AS sources,
    CASE
      WHEN c.uscc IS NULL THEN 'no_consent'
      WHEN NOT e.bound THEN 'gateway_unbound'
      WHEN NOT e.whole THEN 'not_the_whole_month'
      WHEN NOT e.connected THEN 'meter_not_connected'
      WHEN NOT e.whole_enough THEN 'incomplete'
      WHEN NOT e.convertible THEN 'no_factor'
      WHEN v.value IS NULL THEN 'value_added_missing'
      ELSE 'qualified'
    END AS reason
  FROM enterprise AS e
  LEFT JOIN reported AS v USING (uscc)
  LEFT JOIN consented AS c USING (uscc)
  WHERE e.has_boundary
)
SELECT
  uscc AS member,
  CASE reason WHEN 'qualified' THEN 'numerator' ELSE 'excluded' END AS counted,
  reason,
  NULL::date AS since,
  CASE reason WHEN 'qualified' THEN tce END AS amount,
  CASE reason WHEN 'qualified' THEN value_added END AS weight,
  jsonb_strip_nulls(jsonb_build_object(
    'complete', complete, 'estimated', estimated, 'expected', expected, 'carriers', carriers, 'vintage', vintage
  )) AS detail,
  sources AS source,
  indicator.basis(greatest(strictness, CASE WHEN value_added IS NOT NULL THEN indicator.strictness('consented') END))
    AS legal_basis
FROM reasoned
