-- Who has had each of these meters, from when until when; a holder that is met for the first time gets its number.
WITH span AS MATERIALIZED (
  SELECT meter_id, uscc, areas, from_t, to_t FROM energy.holding(%(meters)s::int4[])
),
added AS (
  INSERT INTO energy.holder (uscc, areas)
  SELECT DISTINCT s.uscc, s.areas
  FROM span AS s
  WHERE s.uscc IS NOT NULL
    AND NOT EXISTS (SELECT FROM energy.holder AS h WHERE h.uscc = s.uscc AND h.areas = s.areas)
  RETURNING holder_id, uscc, areas
)
INSERT INTO pg_temp.holding (meter_id, holder_id, from_t, to_t)
SELECT s.meter_id, CASE WHEN s.uscc IS NULL THEN 0 ELSE coalesce(h.holder_id, n.holder_id) END, s.from_t, s.to_t
FROM span AS s
LEFT JOIN energy.holder AS h ON h.uscc = s.uscc AND h.areas = s.areas
LEFT JOIN added AS n ON n.uscc = s.uscc AND n.areas = s.areas
