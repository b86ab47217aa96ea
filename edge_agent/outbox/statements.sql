-- Every statement of the outbox but its schema. `-- name:` begins one; parameters are named.

-- name: is_created
SELECT count(*) = 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'life';

-- name: life
SELECT epoch, last_seq, run, birth_id, previous_epoch, previous_last, packet_limit, confirmed_through, confirmed_at_ms,
  dropped_messages, dropped_readings, machine
FROM main.life;

-- name: begin_life
INSERT INTO main.life (id, epoch, previous_epoch, previous_last, machine)
VALUES (1, :epoch, :previous_epoch, :previous_last, :machine);

-- name: begin_run
UPDATE main.life SET run = run + 1;

-- name: set_machine
UPDATE main.life SET machine = :machine;

-- name: renew_life
UPDATE main.life SET epoch = :epoch, last_seq = 0, previous_epoch = epoch, previous_last = :previous_last,
  confirmed_through = 0, confirmed_at_ms = NULL;

-- name: ever_sent
SELECT max(life.confirmed_through, coalesce((SELECT max(seq) FROM main.message WHERE sends > 0), 0)) FROM main.life;

-- name: unsent_reports
SELECT dropped FROM main.message WHERE sends = 0 AND dropped IS NOT NULL;

-- name: forget_dropped
DELETE FROM main.dropped;

-- name: inherit_messages
INSERT INTO main.inherited (payload_id, birth_id, readings, crc32)
SELECT payload_id, birth_id, readings, crc32 FROM main.message;

-- name: forget_messages
DELETE FROM main.message;

-- name: inherited
SELECT inherited.payload_id, birth.digest, inherited.readings, inherited.crc32, payload.encoding, payload.body
FROM main.inherited JOIN main.birth USING (birth_id) JOIN main.payload USING (payload_id)
ORDER BY inherited.payload_id;

-- name: inherited_total
SELECT count(*), coalesce(sum(readings), 0) FROM main.inherited;

-- name: forget_inherited
DELETE FROM main.inherited WHERE payload_id <= :through;

-- name: forget_inherited_payloads
DELETE FROM main.payload
WHERE payload_id IN (SELECT payload_id FROM main.inherited WHERE payload_id <= :through);

-- name: set_last_seq
UPDATE main.life SET last_seq = max(last_seq, :last_seq);

-- name: set_packet_limit
UPDATE main.life SET packet_limit = :packet_limit WHERE packet_limit IS NOT :packet_limit;

-- name: set_confirmed
UPDATE main.life SET confirmed_through = max(confirmed_through, :through), confirmed_at_ms = :at_ms;

-- name: add_birth
INSERT INTO main.birth (digest, body) VALUES (:digest, :body) ON CONFLICT (digest) DO UPDATE SET body = excluded.body;

-- name: set_birth
UPDATE main.life SET birth_id = (SELECT birth_id FROM main.birth WHERE digest = :digest);

-- name: births
SELECT birth.digest, birth.body, birth.birth_id = life.birth_id
FROM main.birth CROSS JOIN main.life
ORDER BY birth.birth_id = life.birth_id, birth.birth_id;

-- name: prune_births
DELETE FROM main.birth
WHERE (SELECT count(*) FROM main.birth) > 1
  AND birth_id IS NOT (SELECT birth_id FROM main.life)
  AND birth_id NOT IN (SELECT birth_id FROM main.message)
  AND birth_id NOT IN (SELECT birth_id FROM main.pending)
  AND birth_id NOT IN (SELECT birth_id FROM main.inherited);

-- name: add_pending
INSERT INTO main.pending (birth_id, readings, body, crc32)
SELECT birth_id, :readings, :body, :crc32 FROM main.life;

-- name: pending_total
SELECT count(*), coalesce(sum(readings), 0) FROM main.pending;

-- name: pending
SELECT pending.poll_id, birth.digest, pending.readings, pending.body, pending.crc32
FROM main.pending JOIN main.birth USING (birth_id)
ORDER BY pending.poll_id;

-- name: delete_pending
DELETE FROM main.pending WHERE poll_id <= :through;

-- name: bookmark
SELECT value FROM main.bookmark WHERE key = :key;

-- name: set_bookmark
INSERT INTO main.bookmark (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: add_message
INSERT INTO main.message (seq, birth_id, class, created_ms, readings, payload_bytes, crc32, dropped, payload_id)
SELECT :seq, birth_id, :class, :created_ms, :readings, :payload_bytes, :crc32, :dropped, :payload_id
FROM main.birth WHERE digest = :digest;

-- name: add_payload
INSERT INTO main.payload (encoding, body) VALUES (:encoding, :body);

-- name: add_written
INSERT INTO main.written (hour, since_ms, messages, readings, bytes)
VALUES (:hour, :now_ms, :messages, :readings, :bytes)
ON CONFLICT (hour) DO UPDATE SET
  messages = messages + excluded.messages, readings = readings + excluded.readings, bytes = bytes + excluded.bytes;

-- name: prune_written
DELETE FROM main.written WHERE hour < :hour - 72 OR hour > :hour + 1;

-- name: dropped
SELECT first, last, reason, readings FROM main.dropped ORDER BY first LIMIT :ranges;

-- name: delete_dropped
DELETE FROM main.dropped WHERE first = :first;

-- name: dropped_before
SELECT first, last, readings FROM main.dropped WHERE last = :first - 1 AND reason = :reason;

-- name: dropped_after
SELECT first, last, readings FROM main.dropped WHERE first = :last + 1 AND reason = :reason;

-- name: add_dropped
INSERT INTO main.dropped (first, last, reason, readings) VALUES (:first, :last, :reason, :readings);

-- name: count_dropped
UPDATE main.life SET dropped_messages = dropped_messages + 1, dropped_readings = dropped_readings + :readings;

-- name: overflow_pairs
SELECT seq FROM main.message INDEXED BY message_unthinned
WHERE sends = 0 AND class = 'gauge' AND thinned = 0 ORDER BY seq LIMIT :messages;

-- name: overflow_oldest
SELECT seq FROM main.message INDEXED BY message_overflow
WHERE sends = 0 AND class = :class ORDER BY seq LIMIT :messages;

-- name: set_thinned
UPDATE main.message SET thinned = 1 WHERE seq = :seq;

-- name: message_report
SELECT readings, dropped FROM main.message WHERE seq = :seq;

-- name: delete_message
DELETE FROM main.message WHERE seq = :seq;

-- name: delete_payload
DELETE FROM main.payload WHERE payload_id = (SELECT payload_id FROM main.message WHERE seq = :seq);

-- name: unsent_after
SELECT seq FROM main.message INDEXED BY message_never_sent
WHERE sends = 0 AND seq > :boundary AND payload_bytes <= :largest ORDER BY seq LIMIT :messages;

-- name: unsent_through
SELECT seq FROM main.message INDEXED BY message_never_sent
WHERE sends = 0 AND seq <= :boundary AND payload_bytes <= :largest ORDER BY seq LIMIT :messages;

-- name: oversized
SELECT count(*), min(seq), max(payload_bytes) FROM main.message WHERE payload_bytes > :largest;

-- name: take
SELECT message.seq, message.crc32, payload.encoding, payload.body
FROM main.message JOIN main.payload USING (payload_id) WHERE message.seq = :seq;

-- name: mark_sent
UPDATE main.message SET sends = sends + 1, sent_run = :run, sent_mono_ms = :now_mono_ms WHERE seq = :seq;

-- name: unmark_sent
UPDATE main.message SET sends = max(sends - 1, 0) WHERE seq = :seq RETURNING sends;

-- name: sent_within
SELECT seq FROM main.message
WHERE seq BETWEEN :first AND :last AND sends > 0 AND payload_bytes <= :largest
  AND (sent_run <> :run OR sent_mono_ms <= :before_mono_ms)
ORDER BY seq LIMIT :messages;

-- name: last_sent
SELECT max(seq) FROM main.message WHERE sends > 0 AND payload_bytes <= :largest;

-- name: settle_payloads
DELETE FROM main.payload
WHERE payload_id IN (SELECT payload_id FROM main.message WHERE seq BETWEEN :first AND :last AND sends > 0);

-- name: settle_messages
DELETE FROM main.message WHERE seq BETWEEN :first AND :last AND sends > 0;

-- name: first_held
SELECT min(seq) FROM main.message;

-- name: add_event
INSERT INTO main.event (body) VALUES (:body);

-- name: bound_events
DELETE FROM main.event WHERE event_id <= (SELECT max(event_id) FROM main.event) - :kept;

-- name: events
SELECT event_id, body FROM main.event WHERE event_id > :after ORDER BY event_id LIMIT :events;

-- name: delete_event
DELETE FROM main.event WHERE event_id = :event_id;

-- name: held_total
SELECT count(*), coalesce(sum(readings), 0) FROM main.message;

-- name: held_numbers
SELECT count(*), coalesce(sum(readings), 0), coalesce(sum(payload_bytes), 0), min(seq), min(created_ms),
  coalesce(sum(sends = 0), 0)
FROM main.message;

-- name: written_since
SELECT coalesce(sum(bytes), 0), min(since_ms) FROM main.written WHERE hour >= :hour;
