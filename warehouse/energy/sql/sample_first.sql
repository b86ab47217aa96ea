-- For each track, its first usable sample within the validity of its series (UTC ms).
SELECT asked.place, min(energy.to_ms(r.t))
FROM unnest(%(places)s::int4[], %(series)s::int4[], %(from_ms)s::int8[], %(to_ms)s::int8[])
  AS asked (place, series_id, from_ms, to_ms)
CROSS JOIN LATERAL (
  SELECT r.t
  FROM ingest.reading_gauge AS r
  WHERE r.series_id = asked.series_id AND r.t >= energy.from_ms(asked.from_ms) AND r.t < energy.from_ms(asked.to_ms)
    AND r.v IS NOT NULL AND r.q < 100 AND r.q <> 20
  ORDER BY r.t
  LIMIT 1
) AS r
GROUP BY asked.place
