-- Lives before the one that a state tells of are over, also where no state said how far they got.
UPDATE ingest.ledger AS l
SET ended_at = greatest(l.held_last, upper(l.settled) - 1, 0)
FROM unnest(%(gateways)s::text[], %(epochs)s::int8[]) AS w (gateway, epoch)
WHERE l.gateway = w.gateway AND l.epoch < w.epoch AND l.ended_at IS NULL
