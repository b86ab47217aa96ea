-- For each register, the first quarter-hour that was integrated of samples that are no longer there (UTC ms).
SELECT asked.place - 1, min(energy.to_ms(q.start))
FROM unnest(%(meters)s::int4[], %(feeds)s::bool[]) WITH ORDINALITY AS asked (meter_id, feed_in, place)
JOIN energy.quarter AS q USING (meter_id, feed_in)
WHERE q.start < energy.from_ms(%(before_ms)s) AND q.reason = 'integrated_power'
GROUP BY asked.place
