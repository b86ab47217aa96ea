INSERT INTO ingest.commit_run (ledger_id, seqs, batch)
SELECT w.ledger_id, int8range(w.first, w.last, '[]'), %(batch)s
FROM unnest(%(ledger_ids)s::int4[], %(firsts)s::int8[], %(lasts)s::int8[]) AS w (ledger_id, first, last)
