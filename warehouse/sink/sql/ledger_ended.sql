UPDATE ingest.ledger AS l SET ended_at = w.last
FROM unnest(%(ledger_ids)s::int4[], %(lasts)s::int8[]) AS w (ledger_id, last)
WHERE l.ledger_id = w.ledger_id AND l.ended_at IS DISTINCT FROM w.last
