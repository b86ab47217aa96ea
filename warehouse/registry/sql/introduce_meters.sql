INSERT INTO registry.meter (serial, carrier, unit)
SELECT * FROM unnest(%(keys)s::text[], %(attributes)s::text[], %(units)s::text[])
ON CONFLICT DO NOTHING
