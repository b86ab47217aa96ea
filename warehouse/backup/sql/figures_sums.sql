-- What people compare: messages settled in the ledger, and energy, by table.
SELECT
  (SELECT coalesce(sum(ingest.amount(l.settled)), 0)::text FROM ingest.ledger AS l),
  (SELECT coalesce(sum(q.energy), 0)::text FROM energy.quarter AS q),
  (SELECT coalesce(sum(d.energy), 0)::text FROM energy.day AS d)
