-- Not by ON CONFLICT alone: each attempt would use up one of 8 388 607 numbers.
INSERT INTO ingest.ledger (gateway, epoch)
SELECT w.gateway, w.epoch
FROM unnest(%(gateways)s::text[], %(epochs)s::int8[]) AS w (gateway, epoch)
WHERE NOT EXISTS (SELECT FROM ingest.ledger AS l WHERE l.gateway = w.gateway AND l.epoch = w.epoch)
ORDER BY w.gateway, w.epoch
ON CONFLICT (gateway, epoch) DO NOTHING
