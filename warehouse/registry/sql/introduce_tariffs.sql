INSERT INTO registry.tariff (tariff)
SELECT * FROM unnest(%(keys)s::text[])
ON CONFLICT DO NOTHING
