INSERT INTO registry.platform (platform)
SELECT * FROM unnest(%(keys)s::text[])
ON CONFLICT DO NOTHING
