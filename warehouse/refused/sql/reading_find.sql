SELECT j.rejected_id, l.gateway, l.epoch, j.seq, j.name, j.series_id, j.t_ms, j.value, j.q, j.at, j.reason, j.detail,
  j.batch, j.tried_at, j.tried_reason, j.tried_detail, j.settled_at, j.settled_by, j.settled_batch
FROM ingest.reading_rejected AS j
JOIN ingest.ledger AS l ON l.ledger_id = j.ledger_id
WHERE j.rejected_id = %(rejected_id)s
