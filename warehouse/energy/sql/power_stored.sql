-- What was integrated of samples that are no longer there: time (UTC ms), energy, reason.
SELECT energy.to_ms(q.start), q.energy, q.reason
FROM energy.quarter AS q
WHERE q.meter_id = %(meter)s AND q.feed_in = %(feed_in)s
  AND q.start >= energy.from_ms(%(from_ms)s) AND q.start < energy.from_ms(%(to_ms)s)
  AND q.reason = 'integrated_power'
ORDER BY q.start
