-- Clocks of gateways: how wrong they were, and readings that were given another time.

CREATE TABLE ingest.clock_fault (
  fault_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway text NOT NULL,
  status text NOT NULL,
  offset_ms int8 NOT NULL,
  lowest_ms int8 NOT NULL,
  highest_ms int8 NOT NULL,
  first_at_ms int8 NOT NULL,
  last_at_ms int8 NOT NULL,
  since timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  until timestamptz,
  step_ms int8,
  CHECK (seen_at >= since)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX clock_fault_open ON ingest.clock_fault (gateway) WHERE until IS NULL;
CREATE INDEX clock_fault_gateway ON ingest.clock_fault (gateway, since);
COMMENT ON TABLE ingest.clock_fault IS
  'Times during which a gateway''s clock was wrong, measured on its states: the agent''s time less that of their arrival at the bridge. A right clock leaves no row';
COMMENT ON COLUMN ingest.clock_fault.fault_id IS 'The fault';
COMMENT ON COLUMN ingest.clock_fault.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.clock_fault.status IS 'What the agent thought of its clock: synced, unsynced, stepped';
COMMENT ON COLUMN ingest.clock_fault.offset_ms IS
  'How far the clock was ahead when the fault began, milliseconds; negative when it was behind. Readings are put right by the opposite';
COMMENT ON COLUMN ingest.clock_fault.lowest_ms IS 'Least offset seen in it; a clock that is behind seems more so by whatever delayed the message';
COMMENT ON COLUMN ingest.clock_fault.highest_ms IS 'Greatest offset seen in it';
COMMENT ON COLUMN ingest.clock_fault.first_at_ms IS 'The gateway''s own time in the first state of it, UTC milliseconds; may be absurd';
COMMENT ON COLUMN ingest.clock_fault.last_at_ms IS 'The gateway''s own time in the last state of it';
COMMENT ON COLUMN ingest.clock_fault.since IS 'When the bridge received the first state of it';
COMMENT ON COLUMN ingest.clock_fault.seen_at IS 'When the bridge received the last state of it';
COMMENT ON COLUMN ingest.clock_fault.until IS 'When a state told of another offset, or of a right clock; null while it goes on';
COMMENT ON COLUMN ingest.clock_fault.step_ms IS 'How far the clock jumped at its end, as the agent told; null when it did not tell';

CREATE VIEW ingest.clock_status AS
SELECT
  s.gateway, s.clock_status AS status,
  CASE WHEN s.online AND NOT s.retained THEN round(extract(epoch FROM s.at - s.received_at) * 1000)::int8 END AS offset_ms,
  s.at, s.received_at,
  f.fault_id, f.since AS wrong_since
FROM ingest.gateway_state AS s
LEFT JOIN ingest.clock_fault AS f ON f.gateway = s.gateway AND f.until IS NULL
WHERE s.at IS NOT NULL;
COMMENT ON VIEW ingest.clock_status IS 'How far each gateway''s clock was off when it last told its state';
COMMENT ON COLUMN ingest.clock_status.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.clock_status.status IS 'What the agent thinks of its clock';
COMMENT ON COLUMN ingest.clock_status.offset_ms IS
  'Milliseconds that it was ahead, negative when behind; null when the last state was a last will or a repetition';
COMMENT ON COLUMN ingest.clock_status.at IS 'The gateway''s time';
COMMENT ON COLUMN ingest.clock_status.received_at IS 'The bridge''s time';
COMMENT ON COLUMN ingest.clock_status.fault_id IS 'The fault that goes on; null when the clock is right';
COMMENT ON COLUMN ingest.clock_status.wrong_since IS 'When the bridge first noticed it';

CREATE TABLE ingest.clock_repair (
  repair_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway text NOT NULL,
  from_ms int8 NOT NULL,
  to_ms int8 NOT NULL,
  arrived_from timestamptz,
  arrived_to timestamptz,
  shift_ms int8 NOT NULL CHECK (shift_ms <> 0),
  fault_id int8 REFERENCES ingest.clock_fault,
  by text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  undone_at timestamptz,
  undone_by text,
  CHECK (from_ms < to_ms)
);
COMMENT ON TABLE ingest.clock_repair IS 'Who moved a gateway''s readings in time, by how much, and why';
COMMENT ON COLUMN ingest.clock_repair.repair_id IS 'The repair';
COMMENT ON COLUMN ingest.clock_repair.gateway IS 'Gateway whose readings were moved';
COMMENT ON COLUMN ingest.clock_repair.from_ms IS 'Readings from this time on, as the gateway''s clock had it, UTC milliseconds';
COMMENT ON COLUMN ingest.clock_repair.to_ms IS 'Readings before this time';
COMMENT ON COLUMN ingest.clock_repair.arrived_from IS 'Only readings that were stored or refused from this time on';
COMMENT ON COLUMN ingest.clock_repair.arrived_to IS 'Only readings that were stored or refused before this time';
COMMENT ON COLUMN ingest.clock_repair.shift_ms IS 'Milliseconds added to their time';
COMMENT ON COLUMN ingest.clock_repair.fault_id IS 'The measured fault that the shift comes from; null when a person gave it';
COMMENT ON COLUMN ingest.clock_repair.by IS 'Who did it';
COMMENT ON COLUMN ingest.clock_repair.reason IS 'Why, in their words';
COMMENT ON COLUMN ingest.clock_repair.at IS 'When';
COMMENT ON COLUMN ingest.clock_repair.undone_at IS 'When it was taken back; null while it holds';
COMMENT ON COLUMN ingest.clock_repair.undone_by IS 'Who took it back';

CREATE TABLE ingest.clock_repaired (
  repaired_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repair_id int8 NOT NULL REFERENCES ingest.clock_repair,
  origin text NOT NULL CHECK (origin IN ('stored', 'replaced', 'rejected')),
  rejected_id int8,
  series_id int4 NOT NULL,
  message int8 NOT NULL,
  v_float float8,
  v_int int8,
  was_t timestamptz NOT NULL,
  was_q int2 NOT NULL,
  t timestamptz NOT NULL,
  q int2 NOT NULL,
  batch int8 NOT NULL,
  undone_batch int8,
  CHECK ((origin = 'rejected') = (rejected_id IS NOT NULL))
);
CREATE UNIQUE INDEX clock_repaired_once ON ingest.clock_repaired
  (series_id, was_t, message, was_q, v_float, v_int) NULLS NOT DISTINCT WHERE undone_batch IS NULL;
CREATE INDEX clock_repaired_repair ON ingest.clock_repaired (repair_id, repaired_id);
COMMENT ON TABLE ingest.clock_repaired IS
  'Each reading that a repair moved, as it was and as it is. A message that comes again does not bring back what stands here';
COMMENT ON COLUMN ingest.clock_repaired.repaired_id IS 'The reading';
COMMENT ON COLUMN ingest.clock_repaired.repair_id IS 'The repair';
COMMENT ON COLUMN ingest.clock_repaired.origin IS
  'Where it stood: stored (in a reading table; now in reading_replaced), replaced (in reading_replaced, still there), rejected (in reading_rejected, still there)';
COMMENT ON COLUMN ingest.clock_repaired.rejected_id IS 'Its row in ingest.reading_rejected';
COMMENT ON COLUMN ingest.clock_repaired.series_id IS 'Series';
COMMENT ON COLUMN ingest.clock_repaired.message IS 'The message that brought it';
COMMENT ON COLUMN ingest.clock_repaired.v_float IS 'The value of a gauge';
COMMENT ON COLUMN ingest.clock_repaired.v_int IS 'The value of a register or state';
COMMENT ON COLUMN ingest.clock_repaired.was_t IS 'The gateway''s time';
COMMENT ON COLUMN ingest.clock_repaired.was_q IS 'Its quality as it came';
COMMENT ON COLUMN ingest.clock_repaired.t IS 'The time it has now';
COMMENT ON COLUMN ingest.clock_repaired.q IS 'Its quality now: 10, substituted, unless it was worse for another reason';
COMMENT ON COLUMN ingest.clock_repaired.batch IS 'The batch that moved it';
COMMENT ON COLUMN ingest.clock_repaired.undone_batch IS 'The batch that moved it back; null while it holds';

CREATE INDEX reading_rejected_clock ON ingest.reading_rejected (series_id, t_ms)
  WHERE settled_at IS NULL AND reason IN ('time_past', 'time_future');
