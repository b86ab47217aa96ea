-- Connected enterprises with a gateway, 20 series of 4 devices, and their readings by day as the completeness job counts.
WITH firm AS (
  SELECT uscc, row_number() OVER (ORDER BY uscc) AS place
  FROM (
    SELECT DISTINCT uscc FROM registry.roster WHERE roster = 'industry_above_scale' ORDER BY uscc LIMIT %(enterprises)s
  ) AS f
),
bound AS (
  INSERT INTO registry.gateway_binding (gateway, uscc, valid_from, legal_basis, source)
  SELECT 'gw-' || place, uscc, '2024-01-01', 'consented', 'synthetic' FROM firm
),
consented AS (
  INSERT INTO registry.consent (uscc, purpose, valid_from, document, legal_basis, source)
  SELECT uscc, 'statistics', '2024-01-01', 'synthetic', 'consented', 'synthetic' FROM firm
),
series AS (
  INSERT INTO ingest.series (gateway, identity, device, quantity, unit, kind, batch)
  SELECT 'gw-' || place, n::text, 'd' || n %% 4, 'power', 'kW', 'gauge', 0
  FROM firm CROSS JOIN generate_series(1, 20) AS n
  RETURNING series_id
)
INSERT INTO ingest.completeness
  (series_id, day, expected, received, unexpected, bad, late, rejected, replaced, counted_at)
SELECT series_id, date '2026-01-01' - n, 8640, 8600, 0, 0, 0, 0, 0, now()
FROM series CROSS JOIN generate_series(1, %(days)s) AS n
