INSERT INTO registry.cluster (cluster)
SELECT * FROM unnest(%(keys)s::text[])
ON CONFLICT DO NOTHING
