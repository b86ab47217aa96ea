INSERT INTO ingest.clock_repair (gateway, from_ms, to_ms, arrived_from, arrived_to, shift_ms, fault_id, by, reason)
VALUES
  (%(gateway)s, %(from_ms)s, %(to_ms)s, %(arrived_from)s, %(arrived_to)s, %(shift_ms)s, %(fault_id)s,
   coalesce(%(by)s, session_user), %(reason)s)
RETURNING repair_id
