-- Stored quarter-hours of some meters by register, times as UTC ms.
SELECT meter_id, feed_in, energy.to_ms(start), energy, quality, reason
FROM energy.quarter
WHERE meter_id = ANY(%(meters)s) AND start >= energy.from_ms(%(from_ms)s) AND start < energy.from_ms(%(to_ms)s)
