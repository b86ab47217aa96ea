-- Holes in the ledger as they are seen: since when, how many readings, and how they ended.

ALTER TABLE ingest.ledger
  ADD COLUMN readings int8 NOT NULL DEFAULT 0,
  ADD COLUMN repeated int8 NOT NULL DEFAULT 0,
  ADD COLUMN touched datemultirange;
-- Epochs that are there already have never been counted: null, every day of theirs.
ALTER TABLE ingest.ledger ALTER COLUMN touched SET DEFAULT '{}';
COMMENT ON COLUMN ingest.ledger.readings IS
  'Readings in its stored messages, each message once; those refused alone included. Tells how many a hole may have';
COMMENT ON COLUMN ingest.ledger.repeated IS 'Messages that came although they were stored already; a sender repeats what it is not sure of';
COMMENT ON COLUMN ingest.ledger.touched IS
  'Days of Asia/Shanghai on which readings came or changed since they were counted last (ingest.completeness); null: any. A sink adds, the job takes';

CREATE OR REPLACE VIEW ingest.ledger_status AS
SELECT
  l.ledger_id, l.gateway, l.epoch,
  l.settled - l.rejected - l.dropped AS stored, l.rejected, l.dropped,
  h.holes - g.lost AS open, g.lost,
  ingest.amount(l.settled - l.rejected - l.dropped) AS stored_count,
  ingest.amount(l.rejected) AS rejected_count,
  ingest.amount(l.dropped) AS dropped_count,
  ingest.amount(h.holes - g.lost) AS open_count,
  ingest.amount(g.lost) AS lost_count,
  l.held_first, l.held_last, l.held_at, l.ended_at, l.degraded_since,
  l.readings, l.repeated
FROM ingest.ledger AS l
CROSS JOIN LATERAL (
  SELECT int8multirange(int8range(1, greatest(upper(l.settled) - 1, l.held_last, l.ended_at, 0) + 1)) - l.settled AS holes
) AS h
CROSS JOIN LATERAL (
  SELECT coalesce(range_agg(int8range(p.seq, p.seq, '[]')), '{}'::int8multirange) AS parked
  FROM ingest.parked_message AS p WHERE p.gateway = l.gateway AND p.epoch = l.epoch
) AS w
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN l.ended_at IS NOT NULL THEN h.holes - w.parked
    WHEN l.settled @> l.held_last + 1 THEN h.holes * int8multirange(int8range(1, greatest(l.held_first, 1))) - w.parked
    ELSE '{}'::int8multirange
  END AS lost
) AS g;
COMMENT ON COLUMN ingest.ledger_status.readings IS 'Readings in the stored messages';
COMMENT ON COLUMN ingest.ledger_status.repeated IS 'Messages that came although they were stored already';

CREATE TABLE ingest.hole (
  hole_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ledger_id int4 NOT NULL,
  seqs int8range NOT NULL CHECK (NOT isempty(seqs)),
  state text NOT NULL CHECK (state IN ('in_flight', 'open', 'lost', 'closed')),
  seen_at timestamptz NOT NULL,
  lost_at timestamptz,
  closed_at timestamptz,
  ended text CHECK (ended IN ('stored', 'rejected', 'dropped', 'withdrawn')),
  CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CHECK ((state = 'closed') = (ended IS NOT NULL)),
  CHECK (state <> 'lost' OR lost_at IS NOT NULL)
);
CREATE INDEX hole_standing ON ingest.hole (ledger_id) WHERE closed_at IS NULL;
CREATE INDEX hole_closed ON ingest.hole (ledger_id, seen_at) WHERE closed_at IS NOT NULL;
CREATE INDEX hole_closed_at ON ingest.hole (closed_at) WHERE closed_at IS NOT NULL;
COMMENT ON TABLE ingest.hole IS
  'Holes of the ledger as the watch job saw them. A hole that closes in part is split, and each part keeps its age; parts that touch are one hole, as old as its oldest part';
COMMENT ON COLUMN ingest.hole.hole_id IS 'The hole; a part that is split off gets a number of its own';
COMMENT ON COLUMN ingest.hole.ledger_id IS 'Gateway and epoch';
COMMENT ON COLUMN ingest.hole.seqs IS 'Numbers of the messages';
COMMENT ON COLUMN ingest.hole.state IS
  'in_flight: the gateway has them, none after them has come, and that is not long; open: missing, expected still; lost: will never come, and nobody said why; closed';
COMMENT ON COLUMN ingest.hole.seen_at IS
  'Since when they have been missing: when the job first saw them missing or, at the end of an epoch, when the gateway first said that it has them';
COMMENT ON COLUMN ingest.hole.lost_at IS 'When the job first saw them lost';
COMMENT ON COLUMN ingest.hole.closed_at IS 'When the job saw that the hole (or the last of this part) had closed; null while it stands';
COMMENT ON COLUMN ingest.hole.ended IS
  'How: stored, rejected (as dead letters), dropped (the gateway''s buffer gave them up), withdrawn (the gateway no longer says that they were ever written)';

CREATE VIEW ingest.hole_status AS
SELECT
  h.hole_id, l.gateway, l.epoch, lower(h.seqs) AS first, upper(h.seqs) - 1 AS last,
  upper(h.seqs) - lower(h.seqs) AS messages,
  round((upper(h.seqs) - lower(h.seqs))::numeric * l.readings / nullif(ingest.amount(l.settled - l.rejected - l.dropped), 0))::int8
    AS readings_about,
  h.state, h.seen_at, now() - h.seen_at AS age, h.lost_at, l.degraded_since IS NOT NULL AS degraded
FROM ingest.hole AS h
JOIN ingest.ledger AS l ON l.ledger_id = h.ledger_id
WHERE h.state IN ('open', 'lost');
COMMENT ON VIEW ingest.hole_status IS 'Holes that stand: where, how old, how many readings';
COMMENT ON COLUMN ingest.hole_status.hole_id IS 'The hole';
COMMENT ON COLUMN ingest.hole_status.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.hole_status.epoch IS 'Epoch';
COMMENT ON COLUMN ingest.hole_status.first IS 'First missing message';
COMMENT ON COLUMN ingest.hole_status.last IS 'Last missing message';
COMMENT ON COLUMN ingest.hole_status.messages IS 'How many messages';
COMMENT ON COLUMN ingest.hole_status.readings_about IS
  'Estimate: as many readings a message as the stored ones of the epoch have on average; null when none is stored';
COMMENT ON COLUMN ingest.hole_status.state IS 'open or lost';
COMMENT ON COLUMN ingest.hole_status.seen_at IS 'Since when they have been missing';
COMMENT ON COLUMN ingest.hole_status.age IS 'How long that is';
COMMENT ON COLUMN ingest.hole_status.lost_at IS 'When they were first seen lost';
COMMENT ON COLUMN ingest.hole_status.degraded IS
  'The ledger row has more ranges than it may keep, so that a stored message may look missing until it comes again';

CREATE VIEW ingest.hole_history AS
SELECT
  h.hole_id, l.gateway, l.epoch, lower(h.seqs) AS first, upper(h.seqs) - 1 AS last,
  upper(h.seqs) - lower(h.seqs) AS messages, h.ended, h.seen_at, h.closed_at, h.closed_at - h.seen_at AS lasted,
  CASE WHEN h.ended = 'dropped' THEN d.readings END AS readings_told
FROM ingest.hole AS h
JOIN ingest.ledger AS l ON l.ledger_id = h.ledger_id
LEFT JOIN LATERAL (
  SELECT CASE WHEN bool_and(t.seqs <@ h.seqs) THEN sum(t.readings)::int8 END AS readings
  FROM ingest.dropped AS t
  WHERE h.ended = 'dropped' AND t.ledger_id = h.ledger_id AND t.seqs && h.seqs
) AS d ON true
WHERE h.state = 'closed';
COMMENT ON VIEW ingest.hole_history IS 'Holes that closed, how and when';
COMMENT ON COLUMN ingest.hole_history.hole_id IS 'The hole';
COMMENT ON COLUMN ingest.hole_history.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.hole_history.epoch IS 'Epoch';
COMMENT ON COLUMN ingest.hole_history.first IS 'First message that was missing';
COMMENT ON COLUMN ingest.hole_history.last IS 'Last one';
COMMENT ON COLUMN ingest.hole_history.messages IS 'How many messages';
COMMENT ON COLUMN ingest.hole_history.ended IS 'stored, rejected, dropped or withdrawn';
COMMENT ON COLUMN ingest.hole_history.seen_at IS 'Since when they were missing';
COMMENT ON COLUMN ingest.hole_history.closed_at IS 'When the last of it was seen closed';
COMMENT ON COLUMN ingest.hole_history.lasted IS 'How long it stood';
COMMENT ON COLUMN ingest.hole_history.readings_told IS
  'Of a dropped one: readings that went with it, as the gateway told, exact; null where what it told reaches beyond the hole';

CREATE VIEW ingest.dropped_status AS
SELECT
  l.gateway, l.epoch, d.reason, min(lower(d.seqs)) AS first, max(upper(d.seqs)) - 1 AS last,
  sum(upper(d.seqs) - lower(d.seqs))::int8 AS messages, sum(d.readings) AS readings,
  min(b.committed_at) AS first_told_at, max(b.committed_at) AS last_told_at
FROM ingest.dropped AS d
JOIN ingest.ledger AS l ON l.ledger_id = d.ledger_id
LEFT JOIN ingest.batch AS b ON b.batch = d.batch
GROUP BY l.gateway, l.epoch, d.reason;
COMMENT ON VIEW ingest.dropped_status IS 'What the buffers of gateways gave up before they sent it, as they told; exact';
COMMENT ON COLUMN ingest.dropped_status.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.dropped_status.epoch IS 'Epoch';
COMMENT ON COLUMN ingest.dropped_status.reason IS 'Why the buffer gave them up';
COMMENT ON COLUMN ingest.dropped_status.first IS 'Lowest message';
COMMENT ON COLUMN ingest.dropped_status.last IS 'Highest message; not all between are dropped';
COMMENT ON COLUMN ingest.dropped_status.messages IS 'How many messages';
COMMENT ON COLUMN ingest.dropped_status.readings IS 'How many readings went with them';
COMMENT ON COLUMN ingest.dropped_status.first_told_at IS 'When the warehouse first heard of it';
COMMENT ON COLUMN ingest.dropped_status.last_told_at IS 'When it last did';

CREATE VIEW ingest.seq_reused AS
SELECT e.gateway, e.epoch, count(*) AS messages, min(e.seq) AS first, max(e.seq) AS last, min(e.at) AS first_seen_at,
  max(e.at) AS last_seen_at
FROM ingest.exception AS e
WHERE e.kind = 'seq_reused'
GROUP BY e.gateway, e.epoch;
COMMENT ON VIEW ingest.seq_reused IS 'Gateways that used a message number again for other readings; should never happen, all readings are kept';
COMMENT ON COLUMN ingest.seq_reused.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.seq_reused.epoch IS 'Epoch';
COMMENT ON COLUMN ingest.seq_reused.messages IS 'How many numbers';
COMMENT ON COLUMN ingest.seq_reused.first IS 'Lowest of them';
COMMENT ON COLUMN ingest.seq_reused.last IS 'Highest of them';
COMMENT ON COLUMN ingest.seq_reused.first_seen_at IS 'When it was seen first';
COMMENT ON COLUMN ingest.seq_reused.last_seen_at IS 'When it was seen last';
