INSERT INTO registry.supply_contract (contract, carrier)
SELECT * FROM unnest(%(keys)s::text[], %(attributes)s::text[])
ON CONFLICT DO NOTHING
