SELECT contract, item, unit, price, energy.to_ms(valid_from), energy.to_ms(coalesce(valid_to, 'infinity'))
FROM registry.supply_price
