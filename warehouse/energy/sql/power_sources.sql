-- Which gauges tell the power of each meter, from when until when (UTC ms), and what their births say of them; as
-- sources.sql does for registers.
SELECT ms.meter_id, ms.feed_in, m.serial, m.unit, energy.to_ms(ms.valid_from), energy.to_ms(ms.valid_to),
       s.series_id, s.unit, latest.interval_ms, latest.rated_max
FROM registry.meter_series AS ms
JOIN registry.meter AS m USING (meter_id)
CROSS JOIN LATERAL (
  SELECT DISTINCT bs.series_id
  FROM ingest.birth AS b JOIN ingest.birth_series AS bs USING (birth_id)
  WHERE b.gateway = ms.gateway AND bs.name = ms.series
) AS named
JOIN ingest.series AS s ON s.series_id = named.series_id
CROSS JOIN LATERAL (
  SELECT bs.interval_ms, bs.rated_max
  FROM ingest.birth_series AS bs JOIN ingest.birth AS b USING (birth_id)
  WHERE bs.series_id = s.series_id
  ORDER BY b.received_at DESC, b.birth_id DESC
  LIMIT 1
) AS latest
WHERE s.kind = 'gauge' AND (s.meter IS NULL OR s.meter = m.serial)
ORDER BY ms.meter_id, ms.feed_in, s.series_id, ms.valid_from
