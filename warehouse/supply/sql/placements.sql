SELECT meter_id, uscc, energy.to_ms(valid_from), coalesce(energy.to_ms(valid_to), 9007199254740991)
FROM registry.meter_placement
WHERE role = 'boundary'
ORDER BY meter_id, valid_from
