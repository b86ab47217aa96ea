-- Of each gateway the fault that goes on, and the one that ended last.
SELECT f.gateway, f.status, f.offset_ms, f.lowest_ms, f.highest_ms, f.first_at_ms, f.last_at_ms,
  (extract(epoch FROM f.since) * 1000)::int8, (extract(epoch FROM f.seen_at) * 1000)::int8,
  (extract(epoch FROM f.until) * 1000)::int8, f.step_ms, f.fault_id
FROM unnest(%(gateways)s::text[]) AS w (gateway)
JOIN LATERAL (
  (SELECT o.* FROM ingest.clock_fault AS o WHERE o.gateway = w.gateway AND o.until IS NULL)
  UNION ALL
  (SELECT e.* FROM ingest.clock_fault AS e WHERE e.gateway = w.gateway AND e.until IS NOT NULL
   ORDER BY e.since DESC, e.fault_id DESC LIMIT 1)
) AS f ON true
