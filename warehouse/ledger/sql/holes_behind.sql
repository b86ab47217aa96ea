-- Whether messages are missing that no look has seen yet, or are thought missing that have come.
SELECT
  (SELECT coalesce(sum(upper(h.seqs) - lower(h.seqs)), 0) FROM ingest.hole AS h WHERE h.closed_at IS NULL)
  <> (SELECT coalesce(sum(s.open_count + s.lost_count), 0) FROM ingest.ledger_status AS s)
