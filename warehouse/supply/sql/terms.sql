SELECT contract, energy.to_ms(valid_from), coalesce(energy.to_ms(valid_to), 9007199254740991),
       carrier, meter_id, uscc, tariff, basis, contracted_kw, capacity_kva
FROM registry.supply_term
