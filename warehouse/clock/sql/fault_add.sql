INSERT INTO ingest.clock_fault
  (gateway, status, offset_ms, lowest_ms, highest_ms, first_at_ms, last_at_ms, since, seen_at, until, step_ms)
VALUES
  (%(gateway)s, %(status)s, %(offset_ms)s, %(lowest_ms)s, %(highest_ms)s, %(first_at_ms)s, %(last_at_ms)s,
   to_timestamp(%(since_ms)s / 1000.0), to_timestamp(%(seen_ms)s / 1000.0), to_timestamp(%(until_ms)s / 1000.0),
   %(step_ms)s)
