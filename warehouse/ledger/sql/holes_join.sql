-- A hole that closes bit by bit leaves one row, not one per look: parts that touch, of one age and end, become one.
WITH islands AS (
  SELECT n.ledger_id, n.seen_at, n.ended, int8range(min(lower(n.seqs)), max(upper(n.seqs))) AS seqs,
    min(n.lost_at) AS lost_at, max(n.closed_at) AS closed_at, array_agg(n.hole_id) AS parts
  FROM (
    SELECT b.*, sum(b.begins) OVER (PARTITION BY b.ledger_id, b.seen_at, b.ended ORDER BY b.seqs) AS island
    FROM (
      SELECT h.*,
        CASE WHEN lag(upper(h.seqs)) OVER (PARTITION BY h.ledger_id, h.seen_at, h.ended ORDER BY h.seqs) = lower(h.seqs)
          THEN 0 ELSE 1 END AS begins
      FROM ingest.hole AS h
      WHERE h.closed_at IS NOT NULL AND (h.ledger_id, h.seen_at, h.ended) IN (
        SELECT f.ledger_id, f.seen_at, f.ended FROM ingest.hole AS f WHERE f.closed_at = %(now)s
      )
    ) AS b
  ) AS n
  GROUP BY n.ledger_id, n.seen_at, n.ended, n.island
  HAVING count(*) > 1
),
parts AS (
  DELETE FROM ingest.hole AS h WHERE h.hole_id IN (SELECT unnest(i.parts) FROM islands AS i)
)
INSERT INTO ingest.hole (ledger_id, seqs, state, seen_at, lost_at, closed_at, ended)
SELECT i.ledger_id, i.seqs, 'closed', i.seen_at, i.lost_at, i.closed_at, i.ended FROM islands AS i
