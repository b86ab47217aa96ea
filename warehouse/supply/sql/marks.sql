-- What the registry touched, from when until when (UTC ms).
SELECT dirty_id, meter_id, uscc, contract, tariff, energy.to_ms(t_from), energy.to_ms(t_to)
FROM energy.supply_dirty
ORDER BY dirty_id
LIMIT %(at_most)s
