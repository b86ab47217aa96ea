-- Refusals can be named, judged again, and settled; nothing of them is ever taken away.

ALTER TABLE ingest.dead_letter
  ADD COLUMN letter_id int8 GENERATED ALWAYS AS IDENTITY UNIQUE,
  ADD COLUMN tried_at timestamptz,
  ADD COLUMN tried_reason text,
  ADD COLUMN tried_detail text,
  ADD COLUMN replayed_at timestamptz,
  ADD COLUMN replayed_batch int8,
  ADD CHECK ((tried_at IS NULL) = (tried_reason IS NULL)),
  ADD CHECK ((replayed_at IS NULL) = (replayed_batch IS NULL));
CREATE INDEX dead_letter_waiting ON ingest.dead_letter (letter_id) WHERE replayed_at IS NULL;
COMMENT ON COLUMN ingest.dead_letter.letter_id IS 'Short name of the message, for people';
COMMENT ON COLUMN ingest.dead_letter.tried_at IS 'When a replay last judged it and refused it again';
COMMENT ON COLUMN ingest.dead_letter.tried_reason IS 'Why, then; the reason that counts now';
COMMENT ON COLUMN ingest.dead_letter.tried_detail IS 'What was found then, for people';
COMMENT ON COLUMN ingest.dead_letter.replayed_at IS 'When a replay stored it; the row stays as history';
COMMENT ON COLUMN ingest.dead_letter.replayed_batch IS 'The batch that stored it';

ALTER TABLE ingest.reading_rejected
  ADD COLUMN rejected_id int8 GENERATED ALWAYS AS IDENTITY UNIQUE,
  ADD COLUMN tried_at timestamptz,
  ADD COLUMN tried_reason text,
  ADD COLUMN tried_detail text,
  ADD COLUMN settled_at timestamptz,
  ADD COLUMN settled_batch int8,
  ADD COLUMN settled_by text CHECK (settled_by IN ('replay', 'repair')),
  ADD CHECK ((tried_at IS NULL) = (tried_reason IS NULL)),
  ADD CHECK (num_nulls(settled_at, settled_batch, settled_by) IN (0, 3));
CREATE INDEX reading_rejected_waiting ON ingest.reading_rejected (ledger_id, rejected_id) WHERE settled_at IS NULL;
COMMENT ON COLUMN ingest.reading_rejected.rejected_id IS 'Short name of the reading, for people';
COMMENT ON COLUMN ingest.reading_rejected.tried_at IS 'When a replay last judged it and refused it again';
COMMENT ON COLUMN ingest.reading_rejected.tried_reason IS 'Why, then; the reason that counts now';
COMMENT ON COLUMN ingest.reading_rejected.tried_detail IS 'What was found then, for people';
COMMENT ON COLUMN ingest.reading_rejected.settled_at IS 'When it was stored after all; the row stays as history';
COMMENT ON COLUMN ingest.reading_rejected.settled_batch IS 'The batch that stored it';
COMMENT ON COLUMN ingest.reading_rejected.settled_by IS
  'replay: stored as it was sent, its cause is gone; repair: stored under another time (ingest.clock_repaired)';

CREATE VIEW ingest.refusal AS
SELECT
  'm' || d.letter_id AS id, 'message' AS what, d.at, d.gateway,
  coalesce(d.tried_reason, d.reason) AS reason, d.reason AS first_reason,
  coalesce(d.tried_detail, d.detail) AS detail,
  d.topic || '-' || d.partition || '@' || d."offset" AS place,
  d.replayed_at AS settled_at, CASE WHEN d.replayed_at IS NOT NULL THEN 'replay' END AS settled_by
FROM ingest.dead_letter AS d
UNION ALL
SELECT
  'r' || j.rejected_id, 'reading', j.at, l.gateway,
  coalesce(j.tried_reason, j.reason), j.reason,
  coalesce(j.tried_detail, j.detail),
  l.epoch || '/' || j.seq || ' ' || j.name,
  j.settled_at, j.settled_by
FROM ingest.reading_rejected AS j
JOIN ingest.ledger AS l ON l.ledger_id = j.ledger_id;
COMMENT ON VIEW ingest.refusal IS 'Everything that was ever refused, messages and single readings, and whether it was stored after all';
COMMENT ON COLUMN ingest.refusal.id IS 'Short name: m and letter_id, or r and rejected_id';
COMMENT ON COLUMN ingest.refusal.what IS 'message or reading';
COMMENT ON COLUMN ingest.refusal.at IS 'When it was refused';
COMMENT ON COLUMN ingest.refusal.gateway IS 'Gateway; null when the record''s key named none';
COMMENT ON COLUMN ingest.refusal.reason IS 'Why, as it was judged last';
COMMENT ON COLUMN ingest.refusal.first_reason IS 'Why, as it was judged when it came';
COMMENT ON COLUMN ingest.refusal.detail IS 'What was found, for people';
COMMENT ON COLUMN ingest.refusal.place IS 'topic-partition@offset of a message; epoch/seq and series of a reading';
COMMENT ON COLUMN ingest.refusal.settled_at IS 'When it was stored after all; null while it waits';
COMMENT ON COLUMN ingest.refusal.settled_by IS 'replay or repair';
