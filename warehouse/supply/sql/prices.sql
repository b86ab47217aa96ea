SELECT contract, item, unit, price, energy.to_ms(valid_from), coalesce(energy.to_ms(valid_to), 9007199254740991)
FROM registry.supply_price
