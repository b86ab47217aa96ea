INSERT INTO registry.enterprise (uscc)
SELECT * FROM unnest(%(keys)s::text[])
ON CONFLICT DO NOTHING
