SELECT meter_id, feed_in, energy.to_ms(at), old_end, new_start
FROM registry.meter_event
ORDER BY meter_id, feed_in, at
