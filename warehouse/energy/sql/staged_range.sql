INSERT INTO pg_temp.staged_range (meter_id, feed_in, from_t, to_t)
SELECT w.meter_id, w.feed_in, energy.from_ms(w.from_ms), energy.from_ms(w.to_ms)
FROM unnest(%(meters)s::int4[], %(feeds)s::bool[], %(from_ms)s::int8[], %(to_ms)s::int8[])
  AS w (meter_id, feed_in, from_ms, to_ms)
