-- What is settled of the epochs in question and of each gateway's latest.
SELECT l.gateway, l.epoch, l.settled, l.held_first
FROM ingest.ledger AS l
WHERE l.gateway = ANY (%(gateways)s::text[])
  AND (
    (l.gateway, l.epoch) IN (SELECT w.gateway, w.epoch FROM unnest(%(touched)s::text[], %(epochs)s::int8[]) AS w (gateway, epoch))
    OR NOT EXISTS (SELECT FROM ingest.ledger AS n WHERE n.gateway = l.gateway AND n.epoch > l.epoch)
  )
ORDER BY l.gateway, l.epoch
