SELECT contract, energy.to_ms(valid_from), energy.to_ms(coalesce(valid_to, 'infinity')),
       carrier, meter_id, uscc, tariff, basis, contracted_kw, capacity_kva
FROM registry.supply_term
