-- Locks ledger rows, always in this order, and says which of the numbers are stored already.
SELECT w.gateway, w.epoch, l.ledger_id, nullif((l.settled - l.rejected - l.dropped) * w.seqs, '{}') AS again
FROM (
  SELECT i.gateway, i.epoch, i.seqs::int8multirange AS seqs
  FROM unnest(%(gateways)s::text[], %(epochs)s::int8[], %(seqs)s::text[]) AS i (gateway, epoch, seqs)
) AS w
JOIN ingest.ledger AS l ON l.gateway = w.gateway AND l.epoch = w.epoch
ORDER BY l.ledger_id
FOR NO KEY UPDATE OF l
