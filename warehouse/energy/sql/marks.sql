-- Every mark there is: whose it is (0: energy.dirty, 1: ingest.dirty), its number, meter or series, from when (UTC ms).
SELECT 0, dirty_id, meter_id, energy.to_ms(t_from) FROM energy.dirty
UNION ALL
SELECT 1, dirty_id, series_id, energy.to_ms(t_from) FROM ingest.dirty
