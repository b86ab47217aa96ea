INSERT INTO ingest.dropped (ledger_id, told_by, seqs, reason, readings, batch)
SELECT w.ledger_id, w.told_by, int8range(w.first, w.last, '[]'), w.reason, w.readings, %(batch)s
FROM unnest(
  %(ledger_ids)s::int4[], %(told_by)s::int8[], %(firsts)s::int8[], %(lasts)s::int8[],
  %(reasons)s::text[], %(readings)s::int8[]
) AS w (ledger_id, told_by, first, last, reason, readings)
ON CONFLICT DO NOTHING
