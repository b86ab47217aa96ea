SELECT s.gateway, s.epoch, s.stored_count, s.rejected_count, s.dropped_count, s.held_first, s.held_last,
  s.open_count, s.lost_count, s.repeated, coalesce(u.messages, 0), s.degraded_since IS NOT NULL
FROM ingest.ledger_status AS s
LEFT JOIN ingest.seq_reused AS u ON u.gateway = s.gateway AND u.epoch = s.epoch
WHERE (%(gateway)s::text IS NULL OR s.gateway = %(gateway)s)
  AND (NOT %(only_open)s OR s.open_count > 0 OR s.lost_count > 0)
ORDER BY s.gateway, s.epoch
