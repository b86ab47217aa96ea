-- Every mark there is: whose it is (0: energy.dirty, 1: ingest.dirty, 2: energy.dirty for holders only), its number,
-- meter or series, from when, and until when for readings (UTC ms). A mark of an enterprise is one for each meter it ever had, at least one row.
SELECT 0, dirty_id, meter_id, energy.to_ms(t_from), NULL FROM energy.dirty WHERE cause <> 'holder'
UNION ALL
SELECT 1, dirty_id, series_id, energy.to_ms(t_from), energy.to_ms(t_to) FROM ingest.dirty
UNION ALL
SELECT 2, dirty_id, meter_id, energy.to_ms(t_from), NULL FROM energy.dirty
WHERE cause = 'holder' AND meter_id IS NOT NULL
UNION ALL
SELECT 2, d.dirty_id, p.meter_id, energy.to_ms(d.t_from), NULL
FROM energy.dirty AS d
LEFT JOIN (SELECT DISTINCT uscc, meter_id FROM registry.meter_placement) AS p USING (uscc)
WHERE d.cause = 'holder' AND d.meter_id IS NULL
