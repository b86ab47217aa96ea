-- Returns the messages that added something.
WITH added AS (
  INSERT INTO ingest.reading_rejected (ledger_id, seq, name, series_id, t_ms, value, q, reason, detail, batch)
  SELECT
    ingest.ledger_of(w.message), ingest.seq_of(w.message), w.name, w.series_id, w.t_ms, w.value, w.q,
    w.reason, w.detail, %(batch)s
  FROM unnest(
    %(messages)s::int8[], %(names)s::text[], %(series_ids)s::int4[], %(t_ms)s::int8[], %(values)s::text[],
    %(q)s::int2[], %(reasons)s::text[], %(details)s::text[]
  ) AS w (message, name, series_id, t_ms, value, q, reason, detail)
  ON CONFLICT (ledger_id, seq, name, t_ms, value, q) DO NOTHING
  RETURNING ledger_id, seq
)
SELECT DISTINCT ingest.message_id(a.ledger_id, a.seq) FROM added AS a
