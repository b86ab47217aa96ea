SELECT ''
WHERE NOT EXISTS (
  SELECT FROM stats.energy_report_as_of(%(as_of)s) AS r
  WHERE r.flow = 'industrial_consumption' AND r.legal_basis <> 'statistical' AND r.period_start <= %(period_start)s
)
