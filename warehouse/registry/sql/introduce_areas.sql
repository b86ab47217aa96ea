INSERT INTO registry.area (area, kind)
SELECT * FROM unnest(%(keys)s::text[], %(attributes)s::text[])
ON CONFLICT DO NOTHING
