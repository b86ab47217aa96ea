-- Quarter-hours of terms, each within its time, by time and then in the order of the terms (UTC ms).
SELECT energy.to_ms(q.start), t.place, q.energy, q.quality, q.reason
FROM unnest(%(places)s::int4[], %(meters)s::int4[], %(feeds)s::bool[], %(from_ms)s::int8[], %(to_ms)s::int8[])
  AS t (place, meter_id, feed_in, from_ms, to_ms)
JOIN energy.quarter AS q
  ON q.meter_id = t.meter_id AND q.feed_in = t.feed_in
  AND q.start >= energy.from_ms(t.from_ms) AND q.start < energy.from_ms(t.to_ms)
ORDER BY q.start, t.place
