INSERT INTO ingest.gateway_state AS s
  (gateway, online, agent, at, digest, clock_status, clock_step_ms, sources, received_at, retained, "offset", batch)
VALUES
  (%(gateway)s, %(online)s, %(agent)s, to_timestamp(%(at_ms)s / 1000.0), %(digest)s, %(clock_status)s,
   %(clock_step_ms)s, %(sources)s, to_timestamp(%(received_ms)s / 1000.0), %(retained)s, %(offset)s, %(batch)s)
ON CONFLICT (gateway) DO UPDATE SET
  online = excluded.online,
  -- The last will knows nothing but that the gateway is gone.
  agent = coalesce(excluded.agent, s.agent), at = coalesce(excluded.at, s.at),
  digest = coalesce(excluded.digest, s.digest), clock_status = coalesce(excluded.clock_status, s.clock_status),
  clock_step_ms = CASE WHEN excluded.clock_status IS NULL THEN s.clock_step_ms ELSE excluded.clock_step_ms END,
  sources = CASE WHEN excluded.at IS NULL THEN s.sources ELSE excluded.sources END,
  received_at = excluded.received_at, retained = excluded.retained, "offset" = excluded."offset", batch = excluded.batch
WHERE (s.received_at, s."offset") < (excluded.received_at, excluded."offset")
