UPDATE ingest.clock_fault SET
  lowest_ms = %(lowest_ms)s, highest_ms = %(highest_ms)s, last_at_ms = %(last_at_ms)s,
  seen_at = to_timestamp(%(seen_ms)s / 1000.0), until = to_timestamp(%(until_ms)s / 1000.0), step_ms = %(step_ms)s
WHERE fault_id = %(fault_id)s
