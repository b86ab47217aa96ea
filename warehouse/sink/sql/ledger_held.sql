UPDATE ingest.ledger AS l
SET held_first = w.first, held_last = w.last, held_at = to_timestamp(w.at_ms / 1000.0)
FROM unnest(%(ledger_ids)s::int4[], %(firsts)s::int8[], %(lasts)s::int8[], %(at_ms)s::int8[])
  AS w (ledger_id, first, last, at_ms)
WHERE l.ledger_id = w.ledger_id AND (l.held_at IS NULL OR l.held_at <= to_timestamp(w.at_ms / 1000.0))
