-- Usable samples: time (UTC ms), value, quality. Which are usable is as in readings.sql.
SELECT energy.to_ms(r.t), r.v, r.q
FROM unnest(%(places)s::int4[], %(series)s::int4[], %(from_ms)s::int8[], %(to_ms)s::int8[])
  AS asked (place, series_id, from_ms, to_ms)
JOIN ingest.reading_gauge AS r
  ON r.series_id = asked.series_id AND r.t >= energy.from_ms(asked.from_ms) AND r.t < energy.from_ms(asked.to_ms)
WHERE r.v IS NOT NULL AND r.q < 100 AND r.q <> 20
ORDER BY asked.series_id, r.t
