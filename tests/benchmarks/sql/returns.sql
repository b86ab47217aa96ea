-- Monthly returns of output by enterprises above scale, as they come in; January and February are their own reports.
INSERT INTO stats.observation (
  variable, subject, uscc, period_type, period, period_start, period_end, value, unit, scope, price_basis, vintage,
  published_at, legal_basis, source)
SELECT
  'industrial_output', r.uscc, r.uscc, 'month', to_char(m, 'YYYY-MM'), m::date, (m + interval '1 month')::date,
  1000 + 10 * extract(month FROM m), '10k_cny', 'enterprise', 'current', 'report', (m + interval '40 days')::date,
  'consented', 'synthetic'
FROM (
  SELECT DISTINCT uscc FROM registry.roster WHERE roster = 'industry_above_scale' ORDER BY uscc LIMIT %(enterprises)s
) AS r
CROSS JOIN generate_series(0, %(months)s - 1) AS back
CROSS JOIN LATERAL (SELECT timestamp '2025-12-01' - make_interval(months => back) AS m) AS month
