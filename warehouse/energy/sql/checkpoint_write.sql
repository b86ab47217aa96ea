WITH asked AS (
  SELECT * FROM unnest(%(meters)s::int4[], %(feeds)s::bool[], %(registers)s::text[], %(after_ms)s::int8[])
    AS asked (meter_id, feed_in, register, after_ms)
),
-- What came after may be wrong now; of what came before, only the midnights are worth keeping.
stale AS (
  DELETE FROM energy.checkpoint AS c
  USING asked
  WHERE c.meter_id = asked.meter_id AND c.feed_in = asked.feed_in AND c.register = asked.register
    AND (
      c.at > energy.from_ms(asked.after_ms)
      AND NOT EXISTS (
        SELECT FROM unnest(%(new_meters)s::int4[], %(new_feeds)s::bool[], %(new_registers)s::text[], %(at_ms)s::int8[])
          AS w (meter_id, feed_in, register, at_ms)
        WHERE w.meter_id = c.meter_id AND w.feed_in = c.feed_in AND w.register = c.register
          AND energy.from_ms(w.at_ms) = c.at
      )
      OR c.at < energy.from_ms(asked.after_ms) AND c.at > energy.from_ms(asked.after_ms) - interval '2 days'
      AND (c.at AT TIME ZONE 'Asia/Shanghai')::time <> '00:00'
    )
)
INSERT INTO energy.checkpoint AS c (meter_id, feed_in, register, at, last_good)
SELECT w.meter_id, w.feed_in, w.register, energy.from_ms(w.at_ms), energy.from_ms(w.last_good_ms)
FROM unnest(%(new_meters)s::int4[], %(new_feeds)s::bool[], %(new_registers)s::text[], %(at_ms)s::int8[],
            %(last_good_ms)s::int8[]) AS w (meter_id, feed_in, register, at_ms, last_good_ms)
ON CONFLICT (meter_id, feed_in, register, at) DO UPDATE SET last_good = excluded.last_good
  WHERE c.last_good <> excluded.last_good
