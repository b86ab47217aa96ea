-- Terms of virtual meters, with the units of both and from when until when (UTC ms).
SELECT v.meter_id, m.serial, m.unit, v.term_id, v.term_feed_in, t.unit, v.factor,
       energy.to_ms(v.valid_from), energy.to_ms(v.valid_to)
FROM registry.virtual_term AS v
JOIN registry.meter AS m ON m.meter_id = v.meter_id
JOIN registry.meter AS t ON t.meter_id = v.term_id
ORDER BY v.meter_id, v.valid_from, v.term_id, v.term_feed_in
