SELECT meter_id, pt, ct, energy.to_ms(valid_from), energy.to_ms(valid_to)
FROM registry.multiplier
ORDER BY meter_id, valid_from
