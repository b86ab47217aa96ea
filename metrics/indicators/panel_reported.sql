-- What connected enterprises reported of their energy: since January, in the month, and by which carriers; and the district.
WITH shares AS (
  SELECT DISTINCT ON (r.uscc, r.energy)
    r.uscc, r.energy, coalesce(e.carrier, '') AS carrier, stats.in_unit(r.amount, r.unit, e.unit) * f.value AS kgce, r.source
  FROM stats.energy_report_as_of(%(as_of)s) AS r
  JOIN stats.energy AS e ON e.energy = r.energy
  LEFT JOIN LATERAL stats.resolve_factor(
    %(factor_set)s, %(factor_set_version)s, r.energy, %(factor_basis)s, %(factor_regions)s, r.uscc, %(period_last)s,
    %(as_of)s, 'kgce/' || e.unit
  ) AS f ON true
  WHERE r.flow = 'industrial_consumption' AND r.legal_basis <> 'statistical' AND r.period_start <= %(period_start)s
    AND (%(include_working_media)s OR NOT e.working_medium)
  ORDER BY r.uscc, r.energy, r.period_start DESC, r.period_end DESC
),
carriers AS (
  SELECT
    s.uscc,
    array_agg(DISTINCT s.carrier) FILTER (WHERE s.kgce IS NULL OR s.kgce >= %(min_carrier_share)s * t.kgce) AS carriers,
    string_agg(DISTINCT s.source, '; ') AS source
  FROM shares AS s
  JOIN (SELECT uscc, sum(kgce) AS kgce FROM shares GROUP BY uscc) AS t USING (uscc)
  GROUP BY s.uscc
),
totals AS (
  SELECT DISTINCT ON (o.subject)
    o.subject, stats.in_unit(o.value, o.unit, 'tce') AS tce, o.source
  FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = 'energy_consumption' AND o.period = ANY(%(ytd_periods)s) AND o.price_basis = 'none'
    AND ((o.uscc IS NOT NULL AND o.scope = 'enterprise' AND o.legal_basis <> 'statistical')
      OR (o.subject = %(region)s AND o.scope = 'industry_above_scale'))
  ORDER BY o.subject, array_position(%(ytd_periods)s::text[], o.period)
),
monthly AS (
  SELECT o.subject, stats.in_unit(o.value, o.unit, 'tce') AS tce
  FROM stats.observation_as_of(%(as_of)s) AS o
  WHERE o.variable = 'energy_consumption' AND o.period = %(period)s AND o.price_basis = 'none' AND o.uscc IS NOT NULL
    AND o.scope = 'enterprise' AND o.legal_basis <> 'statistical'
)
SELECT
  CASE WHEN subject = %(region)s THEN 'district' ELSE subject END AS subject,
  t.tce, m.tce AS month_tce, c.carriers, concat_ws('; ', t.source, c.source) AS source
FROM totals AS t
FULL JOIN monthly AS m USING (subject)
FULL JOIN (SELECT uscc AS subject, carriers, source FROM carriers) AS c USING (subject)
