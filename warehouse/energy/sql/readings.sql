-- Usable readings by track and time (UTC ms). Quality codes from 100 on are evidence only, and the time of code 20
-- (clock unsynced) is wrong until `g60 warehouse clock repair` mends it.
SELECT asked.place, energy.to_ms(r.t), r.v, r.q
FROM unnest(%(places)s::int4[], %(series)s::int4[], %(from_ms)s::int8[], %(to_ms)s::int8[])
  AS asked (place, series_id, from_ms, to_ms)
JOIN ingest.reading_register AS r
  ON r.series_id = asked.series_id AND r.t >= energy.from_ms(asked.from_ms) AND r.t < energy.from_ms(asked.to_ms)
WHERE r.v IS NOT NULL AND r.q < 100 AND r.q <> 20
ORDER BY asked.place, r.t
