SELECT meter_id, uscc, energy.to_ms(valid_from), energy.to_ms(coalesce(valid_to, 'infinity'))
FROM registry.meter_placement
WHERE role = 'boundary'
ORDER BY meter_id, valid_from
