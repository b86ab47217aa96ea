INSERT INTO ingest.exception (kind, gateway, epoch, seq, detail, batch)
SELECT 'seq_reused', l.gateway, l.epoch, ingest.seq_of(w.message), %(detail)s, %(batch)s
FROM unnest(%(messages)s::int8[]) AS w (message)
JOIN ingest.ledger AS l ON l.ledger_id = ingest.ledger_of(w.message)
ON CONFLICT (kind, gateway, epoch, seq) DO NOTHING
