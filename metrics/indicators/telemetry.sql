-- Connected enterprises in the period, and what their readings show: networked devices of all equipment, series that
-- reported of those expected, days with data. Which of these is the value is a parameter.
WITH bound AS (
  SELECT b.gateway, b.uscc, b.valid_from, b.valid_to, b.source
  FROM registry.gateway_binding_as_of(%(as_of)s) AS b
  WHERE tstzrange(b.valid_from, b.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
),
counted AS (
  SELECT
    b.uscc, c.day, c.series_id, s.gateway, s.device, c.expected, c.received,
    least(c.received - c.unexpected, c.expected) AS came
  FROM ingest.completeness AS c
  JOIN ingest.series AS s ON s.series_id = c.series_id
  JOIN bound AS b ON b.gateway = s.gateway
    AND b.valid_from < ingest.day_start(c.day + 1) AND (b.valid_to IS NULL OR b.valid_to > ingest.day_start(c.day))
  WHERE c.day >= %(period_start)s AND c.day < %(period_end)s
),
by_series AS (
  SELECT uscc, gateway, device, series_id, sum(expected) AS expected, sum(came) AS came, sum(received) AS received
  FROM counted
  GROUP BY uscc, gateway, device, series_id
),
active AS (
  SELECT d.uscc, count(*) AS days
  FROM (SELECT DISTINCT c.uscc, c.day FROM counted AS c WHERE c.received > 0) AS d
  GROUP BY d.uscc
),
shown AS (
  SELECT
    uscc,
    count(DISTINCT gateway || chr(31) || device) FILTER (WHERE received > 0) AS devices,
    count(*) FILTER (WHERE expected > 0) AS expected_series,
    count(*) FILTER (WHERE expected > 0 AND came > 0) AS series,
    sum(expected) AS expected_readings,
    sum(came) AS readings
  FROM by_series
  GROUP BY uscc
),
enterprise AS (
  SELECT
    b.uscc, coalesce(s.devices, 0) AS devices, coalesce(s.expected_series, 0) AS expected_series,
    coalesce(s.series, 0) AS series, coalesce(a.days, 0) AS days, s.expected_readings, s.readings, b.source
  FROM (SELECT uscc, string_agg(DISTINCT source, '; ') AS source FROM bound GROUP BY uscc) AS b
  LEFT JOIN shown AS s USING (uscc)
  LEFT JOIN active AS a USING (uscc)
),
equipped AS (
  SELECT DISTINCT ON (o.uscc) o.uscc, o.value AS equipment, o.source
  FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = %(equipment_variable)s AND o.scope = 'enterprise' AND o.uscc IS NOT NULL
    AND o.legal_basis IN ('consented', 'administrative', 'published') AND o.period_start < %(period_end)s
  ORDER BY o.uscc, o.period_end DESC
),
measured AS (
  SELECT
    e.*, q.equipment, concat_ws('; ', e.source, q.source) AS sources, k.uscc IS NOT NULL AS consented,
    CASE %(component)s
      WHEN 'networking_rate' THEN least(e.devices, q.equipment)
      WHEN 'collection_coverage' THEN e.series
      ELSE e.days
    END AS amount,
    CASE %(component)s
      WHEN 'networking_rate' THEN q.equipment
      WHEN 'collection_coverage' THEN e.expected_series
      ELSE 1
    END AS weight
  FROM enterprise AS e
  LEFT JOIN equipped AS q USING (uscc)
  LEFT JOIN registry.consent_as_of(%(as_of)s) AS k
    ON k.uscc = e.uscc AND k.purpose = %(consent_purpose)s
    AND daterange(k.valid_from, k.valid_to) @> daterange(%(period_start)s, %(period_end)s)
),
reasoned AS (
  SELECT *,
    CASE
      WHEN NOT consented THEN 'no_consent'
      WHEN weight IS NULL AND %(component)s = 'networking_rate' THEN 'equipment_missing'
      WHEN coalesce(weight, 0) = 0 THEN 'nothing_expected'
      WHEN %(component)s = 'networking_rate' AND devices > equipment THEN 'more_devices_than_equipment'
      ELSE 'qualified'
    END AS reason
  FROM measured
)
SELECT
  uscc AS member,
  CASE WHEN reason IN ('qualified', 'more_devices_than_equipment') THEN 'numerator' ELSE 'excluded' END AS counted,
  reason,
  NULL::date AS since,
  amount::numeric,
  weight::numeric,
  jsonb_strip_nulls(jsonb_build_object(
    'devices', devices, 'equipment', equipment::text, 'series', series, 'expected_series', expected_series, 'days', days,
    'capped', CASE WHEN %(component)s = 'networking_rate' THEN devices > equipment END, 'readings', readings, 'expected_readings', expected_readings)) AS detail,
  sources AS source,
  'consented' AS legal_basis
FROM reasoned
