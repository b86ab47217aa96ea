-- What the sink writes beside readings: batches, the ledger of messages, offsets, refusals, births, states, events.

CREATE SCHEMA ingest;
COMMENT ON SCHEMA ingest IS 'Everything that the sink writes: readings, and proof of what became of every message';

-- Batches: one per transaction of a sink.

CREATE SEQUENCE ingest.batch_number AS int8;
COMMENT ON SEQUENCE ingest.batch_number IS 'Numbers of batches; one that is missing in ingest.batch was rolled back';

CREATE TABLE ingest.batch (
  batch int8 PRIMARY KEY,
  committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  sink text NOT NULL,
  records int4 NOT NULL,
  readings int4 NOT NULL
);
COMMENT ON TABLE ingest.batch IS 'One transaction of a sink; everything that carries its number was committed with it';
COMMENT ON COLUMN ingest.batch.batch IS 'Number of the transaction';
COMMENT ON COLUMN ingest.batch.committed_at IS 'Taken just before the commit';
COMMENT ON COLUMN ingest.batch.sink IS 'Which sink: its name, host and process';
COMMENT ON COLUMN ingest.batch.records IS 'Kafka records that it settled';
COMMENT ON COLUMN ingest.batch.readings IS 'Readings that it took from them, repeated ones included';

CREATE TABLE ingest.batch_source (
  batch int8 NOT NULL,
  topic_id text NOT NULL,
  topic text NOT NULL,
  partition int4 NOT NULL,
  from_offset int8,
  to_offset int8 NOT NULL,
  PRIMARY KEY (batch, topic_id, topic, partition)
);
COMMENT ON TABLE ingest.batch_source IS 'Which part of Kafka a batch was made from';
COMMENT ON COLUMN ingest.batch_source.batch IS 'The batch';
COMMENT ON COLUMN ingest.batch_source.topic_id IS 'Kafka''s id of the topic; a topic that is made again has another';
COMMENT ON COLUMN ingest.batch_source.topic IS 'Name of the topic';
COMMENT ON COLUMN ingest.batch_source.partition IS 'Partition';
COMMENT ON COLUMN ingest.batch_source.from_offset IS 'First offset of the batch; null when it is the first of the partition ever';
COMMENT ON COLUMN ingest.batch_source.to_offset IS 'One more than its last offset';

-- Offsets.

CREATE TABLE ingest.sink_offset (
  cluster_id text NOT NULL,
  topic_id text NOT NULL,
  topic text NOT NULL,
  partition int4 NOT NULL,
  next_offset int8 NOT NULL,
  PRIMARY KEY (cluster_id, topic_id, topic, partition)
) WITH (fillfactor = 20);
COMMENT ON TABLE ingest.sink_offset IS 'How far Kafka is stored; written in the transaction that stores it, so each record counts once';
COMMENT ON COLUMN ingest.sink_offset.cluster_id IS 'Kafka''s id of the cluster';
COMMENT ON COLUMN ingest.sink_offset.topic_id IS 'Kafka''s id of the topic; another id starts again at the beginning';
COMMENT ON COLUMN ingest.sink_offset.topic IS 'Name of the topic';
COMMENT ON COLUMN ingest.sink_offset.partition IS 'Partition';
COMMENT ON COLUMN ingest.sink_offset.next_offset IS 'Offset of the first record that is not stored';

CREATE TABLE ingest.offset_loss (
  cluster_id text NOT NULL,
  topic_id text NOT NULL,
  topic text NOT NULL,
  partition int4 NOT NULL,
  stored_offset int8 NOT NULL,
  log_start int8 NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic_id, topic, partition, stored_offset),
  CHECK (log_start > stored_offset)
);
COMMENT ON TABLE ingest.offset_loss IS 'Records that Kafka deleted before a sink had stored them; agents send unconfirmed messages again';
COMMENT ON COLUMN ingest.offset_loss.cluster_id IS 'Kafka''s id of the cluster';
COMMENT ON COLUMN ingest.offset_loss.topic_id IS 'Kafka''s id of the topic';
COMMENT ON COLUMN ingest.offset_loss.topic IS 'Name of the topic';
COMMENT ON COLUMN ingest.offset_loss.partition IS 'Partition';
COMMENT ON COLUMN ingest.offset_loss.stored_offset IS 'First offset that is gone';
COMMENT ON COLUMN ingest.offset_loss.log_start IS 'First offset that Kafka still had';
COMMENT ON COLUMN ingest.offset_loss.at IS 'When it was noticed';

-- The ledger.

CREATE FUNCTION ingest.amount(numbers int8multirange) RETURNS int8
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (SELECT coalesce(sum(upper(r) - lower(r)), 0)::int8 FROM unnest(numbers) AS r);
COMMENT ON FUNCTION ingest.amount IS 'How many numbers lie in bounded ranges';

CREATE FUNCTION ingest.lowest(numbers int8multirange, ranges int4) RETURNS int8multirange
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN (SELECT count(*) FROM unnest(numbers)) <= ranges THEN numbers
    ELSE (SELECT range_agg(r) FROM (SELECT r FROM unnest(numbers) AS r ORDER BY r LIMIT ranges) AS kept)
  END;
COMMENT ON FUNCTION ingest.lowest IS 'The lowest ranges, at most that many; the bound of a ledger row';

CREATE TABLE ingest.ledger (
  ledger_id int4 GENERATED ALWAYS AS IDENTITY (MAXVALUE 8388607) PRIMARY KEY,
  gateway text NOT NULL,
  epoch int8 NOT NULL,
  settled int8multirange NOT NULL DEFAULT '{}',
  rejected int8multirange NOT NULL DEFAULT '{}',
  dropped int8multirange NOT NULL DEFAULT '{}',
  held_first int8,
  held_last int8,
  held_at timestamptz,
  ended_at int8,
  partition int4,
  degraded_since timestamptz,
  UNIQUE (gateway, epoch)
) WITH (fillfactor = 50);
COMMENT ON TABLE ingest.ledger IS
  'What became of every message of a gateway''s epoch. stored = settled - rejected - dropped: settled is one range on a healthy gateway even where its buffer thinned itself out, so the row stays small';
COMMENT ON COLUMN ingest.ledger.ledger_id IS 'Short name of (gateway, epoch); a reading carries message = ledger_id << 40 | seq';
COMMENT ON COLUMN ingest.ledger.gateway IS 'Gateway, as the broker bound it';
COMMENT ON COLUMN ingest.ledger.epoch IS 'One life of the agent''s disk buffer; later is larger';
COMMENT ON COLUMN ingest.ledger.settled IS 'Numbers of messages that need not be sent again: stored, rejected or dropped';
COMMENT ON COLUMN ingest.ledger.rejected IS 'Of these, numbers of messages that could not be read; their bytes are in ingest.dead_letter';
COMMENT ON COLUMN ingest.ledger.dropped IS 'Of these, numbers that the agent''s buffer gave up before it ever sent them; see ingest.dropped';
COMMENT ON COLUMN ingest.ledger.held_first IS 'First message still on the agent''s disk, as its last state said; one more than held_last when none is';
COMMENT ON COLUMN ingest.ledger.held_last IS 'Last message that the agent had ever written, as its last state said';
COMMENT ON COLUMN ingest.ledger.held_at IS 'When the bridge received that state';
COMMENT ON COLUMN ingest.ledger.ended_at IS 'Last message of an epoch that is over, as a state of a later epoch said; null while it lives';
COMMENT ON COLUMN ingest.ledger.partition IS 'Partition of the telemetry topic that carried its messages last';
COMMENT ON COLUMN ingest.ledger.degraded_since IS
  'Since when the row has more ranges than it may keep; the highest are forgotten, so their messages, though stored, are asked for again';

CREATE TABLE ingest.commit_run (
  ledger_id int4 NOT NULL,
  seqs int8range NOT NULL,
  batch int8 NOT NULL,
  PRIMARY KEY (ledger_id, seqs, batch)
);
COMMENT ON TABLE ingest.commit_run IS 'Which batch stored which messages';
COMMENT ON COLUMN ingest.commit_run.ledger_id IS 'Gateway and epoch';
COMMENT ON COLUMN ingest.commit_run.seqs IS 'Consecutive messages';
COMMENT ON COLUMN ingest.commit_run.batch IS 'The batch that stored them';

CREATE FUNCTION ingest.message_id(ledger_id int4, seq int8) RETURNS int8
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN ledger_id::int8 << 40 | seq;
COMMENT ON FUNCTION ingest.message_id IS 'The number by which a reading names its message';
CREATE FUNCTION ingest.ledger_of(message int8) RETURNS int4
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (message >> 40)::int4;
COMMENT ON FUNCTION ingest.ledger_of IS 'Gateway and epoch (ingest.ledger) of a message';
CREATE FUNCTION ingest.seq_of(message int8) RETURNS int8
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN message & ((1::int8 << 40) - 1);
COMMENT ON FUNCTION ingest.seq_of IS 'Number of a message within its epoch';

CREATE FUNCTION ingest.batch_of(message int8) RETURNS int8
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN (
    SELECT r.batch FROM ingest.commit_run AS r
    WHERE r.ledger_id = ingest.ledger_of(message) AND r.seqs <= int8range(ingest.seq_of(message), NULL)
      AND r.seqs @> ingest.seq_of(message)
    ORDER BY r.seqs DESC LIMIT 1
  );
COMMENT ON FUNCTION ingest.batch_of IS 'The batch that stored a message';

CREATE TABLE ingest.dropped (
  ledger_id int4 NOT NULL,
  told_by int8 NOT NULL,
  seqs int8range NOT NULL,
  reason text NOT NULL,
  readings int8 NOT NULL,
  batch int8 NOT NULL,
  PRIMARY KEY (ledger_id, told_by, seqs, reason)
);
COMMENT ON TABLE ingest.dropped IS 'Messages that an agent''s buffer gave up before it had sent them, as the agent told';
COMMENT ON COLUMN ingest.dropped.ledger_id IS 'Gateway and epoch';
COMMENT ON COLUMN ingest.dropped.told_by IS 'Number of the message that told';
COMMENT ON COLUMN ingest.dropped.seqs IS 'Numbers of the messages that will never come';
COMMENT ON COLUMN ingest.dropped.reason IS 'Why the buffer gave them up';
COMMENT ON COLUMN ingest.dropped.readings IS 'How many readings went with them';
COMMENT ON COLUMN ingest.dropped.batch IS 'The batch that stored the telling message';

CREATE TABLE ingest.exception (
  kind text NOT NULL CHECK (kind IN ('seq_reused')),
  gateway text NOT NULL,
  epoch int8 NOT NULL,
  seq int8 NOT NULL,
  detail text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  batch int8 NOT NULL,
  PRIMARY KEY (kind, gateway, epoch, seq)
);
COMMENT ON TABLE ingest.exception IS 'What should never happen and did; somebody has to look at the gateway';
COMMENT ON COLUMN ingest.exception.kind IS 'seq_reused: a message came again under its number with other readings; all of them are kept';
COMMENT ON COLUMN ingest.exception.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.exception.epoch IS 'Epoch of the message';
COMMENT ON COLUMN ingest.exception.seq IS 'Number of the message';
COMMENT ON COLUMN ingest.exception.detail IS 'What was seen, for people';
COMMENT ON COLUMN ingest.exception.at IS 'When it was seen first';
COMMENT ON COLUMN ingest.exception.batch IS 'The batch that saw it first';

-- Refusals and what waits.

CREATE TABLE ingest.dead_letter (
  topic_id text NOT NULL,
  topic text NOT NULL,
  partition int4 NOT NULL,
  "offset" int8 NOT NULL,
  key bytea NOT NULL,
  value bytea NOT NULL,
  headers jsonb NOT NULL,
  timestamp_ms int8 NOT NULL,
  reason text NOT NULL,
  detail text NOT NULL,
  gateway text,
  epoch int8,
  seq int8,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  batch int8 NOT NULL,
  value_sha256 bytea NOT NULL GENERATED ALWAYS AS (sha256(value)) STORED,
  PRIMARY KEY (topic_id, topic, partition, "offset", value_sha256)
);
CREATE INDEX dead_letter_gateway ON ingest.dead_letter (gateway, at);
CREATE INDEX dead_letter_at ON ingest.dead_letter (at);
COMMENT ON TABLE ingest.dead_letter IS 'Messages that no retry mends, whole, with the reason';
COMMENT ON COLUMN ingest.dead_letter.topic_id IS 'Kafka''s id of the topic it came from';
COMMENT ON COLUMN ingest.dead_letter.topic IS 'Name of the topic';
COMMENT ON COLUMN ingest.dead_letter.partition IS 'Partition';
COMMENT ON COLUMN ingest.dead_letter."offset" IS 'Offset';
COMMENT ON COLUMN ingest.dead_letter.key IS 'Key of the record';
COMMENT ON COLUMN ingest.dead_letter.value IS 'Original bytes of the message';
COMMENT ON COLUMN ingest.dead_letter.headers IS 'Headers of the record: text, or {"hex": …} where the bytes are no text';
COMMENT ON COLUMN ingest.dead_letter.timestamp_ms IS 'Kafka''s time of the record, UTC milliseconds';
COMMENT ON COLUMN ingest.dead_letter.reason IS 'Short stable word that is counted';
COMMENT ON COLUMN ingest.dead_letter.detail IS 'What was found, for people';
COMMENT ON COLUMN ingest.dead_letter.gateway IS 'Gateway by the record''s key; null when the key is none';
COMMENT ON COLUMN ingest.dead_letter.epoch IS 'Epoch, where it could still be read';
COMMENT ON COLUMN ingest.dead_letter.seq IS 'Number of the message, where it could still be read; it then counts as rejected in the ledger';
COMMENT ON COLUMN ingest.dead_letter.at IS 'When it was refused';
COMMENT ON COLUMN ingest.dead_letter.batch IS 'The batch that refused it';
COMMENT ON COLUMN ingest.dead_letter.value_sha256 IS
  'Checksum of value: a Kafka that lost the end of its log gives the same offset to another message';

CREATE TABLE ingest.reading_rejected (
  ledger_id int4 NOT NULL,
  seq int8 NOT NULL,
  name text NOT NULL,
  series_id int4,
  t_ms int8 NOT NULL,
  value text,
  q int2 NOT NULL,
  reason text NOT NULL,
  detail text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  batch int8 NOT NULL,
  UNIQUE NULLS NOT DISTINCT (ledger_id, seq, name, t_ms, value, q)
);
CREATE INDEX reading_rejected_at ON ingest.reading_rejected (at);
COMMENT ON TABLE ingest.reading_rejected IS 'Single readings that were refused while their message was stored';
COMMENT ON COLUMN ingest.reading_rejected.ledger_id IS 'Gateway and epoch of the message';
COMMENT ON COLUMN ingest.reading_rejected.seq IS 'Number of the message';
COMMENT ON COLUMN ingest.reading_rejected.name IS 'Name of the series in the message';
COMMENT ON COLUMN ingest.reading_rejected.series_id IS 'The series; null when the birth has none of that name';
COMMENT ON COLUMN ingest.reading_rejected.t_ms IS 'Time as sent, UTC milliseconds; may be absurd';
COMMENT ON COLUMN ingest.reading_rejected.value IS 'Value as sent';
COMMENT ON COLUMN ingest.reading_rejected.q IS 'Quality as sent';
COMMENT ON COLUMN ingest.reading_rejected.reason IS 'Short stable word that is counted';
COMMENT ON COLUMN ingest.reading_rejected.detail IS 'What was found, for people';
COMMENT ON COLUMN ingest.reading_rejected.at IS 'When it was refused';
COMMENT ON COLUMN ingest.reading_rejected.batch IS 'The batch that refused it';

CREATE TABLE ingest.parked_message (
  parked_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway text NOT NULL,
  digest text NOT NULL,
  epoch int8 NOT NULL,
  seq int8 NOT NULL,
  topic_id text NOT NULL,
  topic text NOT NULL,
  partition int4 NOT NULL,
  "offset" int8 NOT NULL,
  key bytea NOT NULL,
  value bytea NOT NULL,
  headers jsonb NOT NULL,
  timestamp_ms int8 NOT NULL,
  value_sha256 bytea NOT NULL GENERATED ALWAYS AS (sha256(value)) STORED,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  batch int8 NOT NULL,
  UNIQUE (gateway, epoch, seq, value_sha256)
);
CREATE INDEX parked_message_birth ON ingest.parked_message (gateway, digest);
COMMENT ON TABLE ingest.parked_message IS
  'Telemetry whose birth is not known yet; stored as soon as it is. Not settled: the agent keeps it too';
COMMENT ON COLUMN ingest.parked_message.parked_id IS 'Order of arrival';
COMMENT ON COLUMN ingest.parked_message.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.parked_message.digest IS 'Digest of the birth that is missing';
COMMENT ON COLUMN ingest.parked_message.epoch IS 'Epoch of the message';
COMMENT ON COLUMN ingest.parked_message.seq IS 'Number of the message';
COMMENT ON COLUMN ingest.parked_message.topic_id IS 'Kafka''s id of the topic it came from';
COMMENT ON COLUMN ingest.parked_message.topic IS 'Name of the topic';
COMMENT ON COLUMN ingest.parked_message.partition IS 'Partition';
COMMENT ON COLUMN ingest.parked_message."offset" IS 'Offset';
COMMENT ON COLUMN ingest.parked_message.key IS 'Key of the record';
COMMENT ON COLUMN ingest.parked_message.value IS 'Original bytes of the message';
COMMENT ON COLUMN ingest.parked_message.headers IS 'Headers of the record, as in ingest.dead_letter';
COMMENT ON COLUMN ingest.parked_message.timestamp_ms IS 'Kafka''s time of the record, UTC milliseconds';
COMMENT ON COLUMN ingest.parked_message.value_sha256 IS 'Checksum of value; the same message sent again is parked once';
COMMENT ON COLUMN ingest.parked_message.at IS 'When it was parked';
COMMENT ON COLUMN ingest.parked_message.batch IS 'The batch that parked it';

-- Births and series.

CREATE TABLE ingest.birth (
  birth_id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway text NOT NULL,
  digest text NOT NULL,
  agent text NOT NULL,
  claimed_enterprise text,
  body text NOT NULL,
  received_at timestamptz NOT NULL,
  batch int8 NOT NULL,
  UNIQUE (gateway, digest)
);
COMMENT ON TABLE ingest.birth IS 'Every birth ever received; immutable';
COMMENT ON COLUMN ingest.birth.birth_id IS 'The birth';
COMMENT ON COLUMN ingest.birth.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.birth.digest IS 'Name of the birth in telemetry: first 128 bits of the SHA-256 of body';
COMMENT ON COLUMN ingest.birth.agent IS 'Name and version of the agent';
COMMENT ON COLUMN ingest.birth.claimed_enterprise IS 'Claimed 统一社会信用代码; a hint only, the registry decides';
COMMENT ON COLUMN ingest.birth.body IS 'The birth as canonical JSON';
COMMENT ON COLUMN ingest.birth.received_at IS 'When the bridge received it first';
COMMENT ON COLUMN ingest.birth.batch IS 'The batch that stored it';

CREATE TABLE ingest.series (
  series_id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway text NOT NULL,
  identity text NOT NULL,
  device text NOT NULL,
  quantity text NOT NULL,
  unit text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('gauge', 'register', 'state')),
  carrier text,
  meter text,
  decimals int2,
  range int8,
  batch int8 NOT NULL,
  UNIQUE (gateway, identity)
);
COMMENT ON TABLE ingest.series IS 'Series of readings; a changed unit, kind, range, resolution, meter, device or quantity is another series';
COMMENT ON COLUMN ingest.series.series_id IS 'The series';
COMMENT ON COLUMN ingest.series.gateway IS 'Gateway that sends it';
COMMENT ON COLUMN ingest.series.identity IS 'Digest of what makes the series itself';
COMMENT ON COLUMN ingest.series.device IS 'Device, as the agent names it';
COMMENT ON COLUMN ingest.series.quantity IS 'Quantity, for example active_power';
COMMENT ON COLUMN ingest.series.unit IS 'Unit of the value, of its least digit times 10^decimals for a register';
COMMENT ON COLUMN ingest.series.kind IS 'gauge, register or state; says which reading table holds it';
COMMENT ON COLUMN ingest.series.carrier IS 'What the meter measures the flow of';
COMMENT ON COLUMN ingest.series.meter IS 'Serial number of the meter';
COMMENT ON COLUMN ingest.series.decimals IS 'Decimal places of a register';
COMMENT ON COLUMN ingest.series.range IS 'Number of distinct readings of a register: largest display + 1, in least digits';
COMMENT ON COLUMN ingest.series.batch IS 'The batch that saw it first';

CREATE TABLE ingest.birth_series (
  birth_id int4 NOT NULL REFERENCES ingest.birth,
  name text NOT NULL,
  series_id int4 NOT NULL REFERENCES ingest.series,
  interval_ms int4 NOT NULL,
  claimed_pt float8,
  claimed_ct float8,
  rated_max float8,
  PRIMARY KEY (birth_id, name)
);
CREATE INDEX birth_series_series ON ingest.birth_series (series_id);
COMMENT ON TABLE ingest.birth_series IS 'What a birth calls its series, and what it says beyond their identity';
COMMENT ON COLUMN ingest.birth_series.birth_id IS 'The birth';
COMMENT ON COLUMN ingest.birth_series.name IS 'Name of the series in telemetry that refers to this birth';
COMMENT ON COLUMN ingest.birth_series.series_id IS 'The series';
COMMENT ON COLUMN ingest.birth_series.interval_ms IS 'How often a value is expected, milliseconds';
COMMENT ON COLUMN ingest.birth_series.claimed_pt IS 'Voltage transformer ratio that the gateway''s owner claims; the registry decides';
COMMENT ON COLUMN ingest.birth_series.claimed_ct IS 'Current transformer ratio that the gateway''s owner claims; the registry decides';
COMMENT ON COLUMN ingest.birth_series.rated_max IS 'Largest plausible value (gauge, in unit) or growth (register, in unit per hour)';

-- States and events.

CREATE TABLE ingest.gateway_state (
  gateway text PRIMARY KEY,
  online boolean NOT NULL,
  agent text,
  at timestamptz,
  digest text,
  clock_status text,
  clock_step_ms int8,
  sources jsonb NOT NULL,
  received_at timestamptz NOT NULL,
  retained boolean NOT NULL,
  "offset" int8 NOT NULL,
  batch int8 NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE ingest.gateway_state IS 'What each gateway said last about itself';
COMMENT ON COLUMN ingest.gateway_state.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.gateway_state.online IS 'False once the broker published the last will';
COMMENT ON COLUMN ingest.gateway_state.agent IS 'Name and version of the agent; of the last state that was not the last will';
COMMENT ON COLUMN ingest.gateway_state.at IS 'Agent''s time of that state';
COMMENT ON COLUMN ingest.gateway_state.digest IS 'Digest of its current birth';
COMMENT ON COLUMN ingest.gateway_state.clock_status IS 'Whether its times can be believed: synced, unsynced, stepped';
COMMENT ON COLUMN ingest.gateway_state.clock_step_ms IS 'How far the clock jumped when stepped, milliseconds, forward positive';
COMMENT ON COLUMN ingest.gateway_state.sources IS 'Devices, and whether the last poll was answered: up or down';
COMMENT ON COLUMN ingest.gateway_state.received_at IS 'When the bridge received the last state';
COMMENT ON COLUMN ingest.gateway_state.retained IS
  'True when the broker only repeated the state, so the gateway need not have been there at received_at';
COMMENT ON COLUMN ingest.gateway_state."offset" IS 'Its offset in Kafka; orders states of one millisecond';
COMMENT ON COLUMN ingest.gateway_state.batch IS 'The batch that stored it';

CREATE TABLE ingest.event (
  gateway text NOT NULL,
  kind text NOT NULL,
  at timestamptz NOT NULL,
  device text,
  text text NOT NULL,
  received_at timestamptz NOT NULL,
  batch int8 NOT NULL
);
CREATE UNIQUE INDEX event_once ON ingest.event (gateway, at, kind, device, md5(text)) NULLS NOT DISTINCT;
COMMENT ON TABLE ingest.event IS 'What happened to gateways';
COMMENT ON COLUMN ingest.event.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.event.kind IS 'What happened: started, device_down …';
COMMENT ON COLUMN ingest.event.at IS 'When, by the agent''s clock';
COMMENT ON COLUMN ingest.event.device IS 'Device concerned';
COMMENT ON COLUMN ingest.event.text IS 'The agent''s words';
COMMENT ON COLUMN ingest.event.received_at IS 'When the bridge received it first';
COMMENT ON COLUMN ingest.event.batch IS 'The batch that stored it';

-- What came too late for the accounts.

CREATE TABLE ingest.watermark (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  closed_through timestamptz NOT NULL
);
INSERT INTO ingest.watermark (closed_through) VALUES ('-infinity');
COMMENT ON TABLE ingest.watermark IS
  'How far the accounts have been computed. A sink reads it FOR SHARE, the job moves it FOR UPDATE before it reads readings';
COMMENT ON COLUMN ingest.watermark.only_row IS 'There is one row';
COMMENT ON COLUMN ingest.watermark.closed_through IS 'A reading before this time is late and marked in ingest.dirty';

CREATE TABLE ingest.dirty (
  dirty_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series_id int4 NOT NULL,
  t_from timestamptz NOT NULL,
  t_to timestamptz NOT NULL,
  batch int8 NOT NULL
);
COMMENT ON TABLE ingest.dirty IS 'Late readings whose accounts are to be computed again; inserted only, a job deletes the rows it saw';
COMMENT ON COLUMN ingest.dirty.dirty_id IS 'The mark';
COMMENT ON COLUMN ingest.dirty.series_id IS 'Series';
COMMENT ON COLUMN ingest.dirty.t_from IS 'Earliest late reading of the batch';
COMMENT ON COLUMN ingest.dirty.t_to IS 'Latest late reading of the batch';
COMMENT ON COLUMN ingest.dirty.batch IS 'The batch that stored them';

-- How things stand.

CREATE VIEW ingest.ledger_status AS
SELECT
  l.ledger_id, l.gateway, l.epoch,
  l.settled - l.rejected - l.dropped AS stored, l.rejected, l.dropped,
  h.holes - g.lost AS open, g.lost,
  ingest.amount(l.settled - l.rejected - l.dropped) AS stored_count,
  ingest.amount(l.rejected) AS rejected_count,
  ingest.amount(l.dropped) AS dropped_count,
  ingest.amount(h.holes - g.lost) AS open_count,
  ingest.amount(g.lost) AS lost_count,
  l.held_first, l.held_last, l.held_at, l.ended_at, l.degraded_since
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
COMMENT ON VIEW ingest.ledger_status IS
  'The ledger spelt out. A hole is lost when the agent no longer holds it and the first message after the state that says so is settled, which would have told a drop; or when its epoch is over. Other holes are open';
COMMENT ON COLUMN ingest.ledger_status.ledger_id IS 'Short name of (gateway, epoch)';
COMMENT ON COLUMN ingest.ledger_status.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.ledger_status.epoch IS 'Epoch';
COMMENT ON COLUMN ingest.ledger_status.stored IS 'Messages whose readings are stored';
COMMENT ON COLUMN ingest.ledger_status.rejected IS 'Messages that are dead letters';
COMMENT ON COLUMN ingest.ledger_status.dropped IS 'Messages that the agent''s buffer gave up';
COMMENT ON COLUMN ingest.ledger_status.open IS 'Messages that are expected still';
COMMENT ON COLUMN ingest.ledger_status.lost IS 'Messages that will never come, and nobody said why';
COMMENT ON COLUMN ingest.ledger_status.stored_count IS 'How many are stored';
COMMENT ON COLUMN ingest.ledger_status.rejected_count IS 'How many are rejected';
COMMENT ON COLUMN ingest.ledger_status.dropped_count IS 'How many are dropped';
COMMENT ON COLUMN ingest.ledger_status.open_count IS 'How many are open';
COMMENT ON COLUMN ingest.ledger_status.lost_count IS 'How many are lost';
COMMENT ON COLUMN ingest.ledger_status.held_first IS 'First message on the agent''s disk';
COMMENT ON COLUMN ingest.ledger_status.held_last IS 'Last message that the agent had ever written';
COMMENT ON COLUMN ingest.ledger_status.held_at IS 'When it said so';
COMMENT ON COLUMN ingest.ledger_status.ended_at IS 'Last message of an epoch that is over';
COMMENT ON COLUMN ingest.ledger_status.degraded_since IS 'Since when the row has too many ranges';
