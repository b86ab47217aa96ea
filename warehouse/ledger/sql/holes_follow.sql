-- Compares the holes that stand with the ledger, in one snapshot. Every number that is still missing keeps its age;
-- numbers that touch and have the same state are one hole. Returns what stands afterwards and what closed.
WITH standing AS MATERIALIZED (
  SELECT
    s.ledger_id, s.stored, s.rejected, s.dropped, s.lost, s.held_at,
    s.open * o.overtaken AS open, s.open - o.overtaken AS ahead
  FROM ingest.ledger AS l
  JOIN ingest.ledger_status AS s ON s.ledger_id = l.ledger_id
  -- What stands before a message that has come, or belongs to a life that is over, is not in flight.
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN l.ended_at IS NULL THEN int8multirange(int8range(1, greatest(upper(l.settled), 1)))
      ELSE '{(,)}'::int8multirange
    END AS overtaken
  ) AS o
  WHERE NOT l.settled @> int8range(1, greatest(upper(l.settled), l.held_last + 1, l.ended_at + 1, 1))
    OR EXISTS (SELECT FROM ingest.hole AS h WHERE h.ledger_id = l.ledger_id AND h.closed_at IS NULL)
),
before AS MATERIALIZED (
  SELECT h.hole_id, h.ledger_id, h.seqs, h.state, h.seen_at, h.lost_at FROM ingest.hole AS h WHERE h.closed_at IS NULL
),
known AS (
  SELECT b.ledger_id, range_agg(b.seqs) AS seqs FROM before AS b GROUP BY b.ledger_id
),
pieces AS (
  SELECT b.ledger_id, 'lost' AS state, b.seen_at, coalesce(b.lost_at, %(now)s) AS lost_at,
    unnest(s.lost * int8multirange(b.seqs)) AS seqs
  FROM before AS b JOIN standing AS s ON s.ledger_id = b.ledger_id
  UNION ALL
  SELECT b.ledger_id, 'open', b.seen_at, NULL, unnest(s.open * int8multirange(b.seqs))
  FROM before AS b JOIN standing AS s ON s.ledger_id = b.ledger_id
  UNION ALL
  SELECT b.ledger_id,
    CASE WHEN b.state = 'in_flight' AND b.seen_at > %(old)s THEN 'in_flight' ELSE 'open' END,
    b.seen_at, NULL, unnest(s.ahead * int8multirange(b.seqs))
  FROM before AS b JOIN standing AS s ON s.ledger_id = b.ledger_id
  UNION ALL
  SELECT s.ledger_id, 'lost', %(now)s, %(now)s, unnest(s.lost - coalesce(k.seqs, '{}'))
  FROM standing AS s LEFT JOIN known AS k ON k.ledger_id = s.ledger_id
  UNION ALL
  SELECT s.ledger_id, 'open', %(now)s, NULL, unnest(s.open - coalesce(k.seqs, '{}'))
  FROM standing AS s LEFT JOIN known AS k ON k.ledger_id = s.ledger_id
  UNION ALL
  SELECT s.ledger_id, CASE WHEN s.held_at > %(old)s THEN 'in_flight' ELSE 'open' END, least(s.held_at, %(now)s), NULL,
    unnest(s.ahead - coalesce(k.seqs, '{}'))
  FROM standing AS s LEFT JOIN known AS k ON k.ledger_id = s.ledger_id
),
-- What is in flight is kept apart by age, because each part has its own patience.
marked AS (
  SELECT p.*, CASE WHEN p.state = 'in_flight' THEN p.seen_at END AS apart FROM pieces AS p
),
begun AS (
  SELECT m.*,
    CASE WHEN lag(upper(m.seqs)) OVER (PARTITION BY m.ledger_id, m.state, m.apart ORDER BY m.seqs) = lower(m.seqs)
      THEN 0 ELSE 1 END AS begins
  FROM marked AS m
),
numbered AS (
  SELECT b.*, sum(b.begins) OVER (PARTITION BY b.ledger_id, b.state, b.apart ORDER BY b.seqs) AS island FROM begun AS b
),
after AS MATERIALIZED (
  SELECT n.ledger_id, n.state, int8range(min(lower(n.seqs)), max(upper(n.seqs))) AS seqs,
    min(n.seen_at) AS seen_at, min(n.lost_at) AS lost_at
  FROM numbered AS n
  GROUP BY n.ledger_id, n.state, n.apart, n.island
),
gone AS (
  SELECT b.ledger_id, b.seen_at, b.lost_at, g.ended, unnest(g.seqs) AS seqs
  FROM before AS b
  JOIN standing AS s ON s.ledger_id = b.ledger_id
  CROSS JOIN LATERAL (SELECT int8multirange(b.seqs) - s.lost - s.open - s.ahead AS seqs) AS w
  CROSS JOIN LATERAL (
    VALUES
      ('stored', w.seqs * s.stored),
      ('rejected', w.seqs * s.rejected),
      ('dropped', w.seqs * s.dropped),
      ('withdrawn', w.seqs - s.stored - s.rejected - s.dropped)
  ) AS g (ended, seqs)
  WHERE b.state <> 'in_flight'
),
removed AS (
  DELETE FROM ingest.hole AS h
  USING before AS b
  WHERE h.hole_id = b.hole_id AND NOT EXISTS (
    SELECT FROM after AS a
    WHERE a.ledger_id = b.ledger_id AND a.seqs = b.seqs AND a.state = b.state AND a.seen_at = b.seen_at
  )
),
added AS (
  INSERT INTO ingest.hole (ledger_id, seqs, state, seen_at, lost_at)
  SELECT a.ledger_id, a.seqs, a.state, a.seen_at, a.lost_at
  FROM after AS a
  WHERE NOT EXISTS (
    SELECT FROM before AS b
    WHERE b.ledger_id = a.ledger_id AND b.seqs = a.seqs AND b.state = a.state AND b.seen_at = a.seen_at
  )
),
closed AS (
  INSERT INTO ingest.hole (ledger_id, seqs, state, seen_at, lost_at, closed_at, ended)
  SELECT g.ledger_id, g.seqs, 'closed', g.seen_at, g.lost_at, %(now)s, g.ended
  FROM gone AS g
  RETURNING seqs
)
SELECT
  (SELECT count(*) FROM after AS a WHERE a.state = 'open'),
  (SELECT count(*) FROM after AS a WHERE a.state = 'lost'),
  (SELECT count(*) FROM closed),
  (SELECT coalesce(sum(upper(c.seqs) - lower(c.seqs)), 0)::int8 FROM closed AS c)
