-- Every piece of every reading table with its rule, when it was last compressed or tried to be, and when something last spoke against dropping it.
SELECT r.reading, r.compress_after_days, r.keep_days, p.piece, p.from_t, p.to_t, p.compressed, p.bytes,
  (
    SELECT max(d.at) FROM ingest.retention_run AS d
    WHERE d.piece = p.piece AND d.reading = r.reading AND d.from_t = p.from_t AND d.action IN ('compressed', 'failed')
  ) AS tried_at,
  (
    SELECT max(d.at) FROM ingest.retention_run AS d
    WHERE d.piece = p.piece AND d.reading = r.reading AND d.from_t = p.from_t AND d.action IN ('kept', 'failed')
  ) AS kept_at
FROM ingest.retention_rule AS r
CROSS JOIN LATERAL ingest.pieces(r.reading) AS p
ORDER BY r.reading, p.from_t
