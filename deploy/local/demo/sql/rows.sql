-- Every row of the three reading tables, with times as UTC ms; integers and floats stay apart, for a register is exact.
-- The demo's agents name each series device.quantity. Named parameter: gateways (text[]), or null for all.
SELECT s.gateway, s.device || '.' || s.quantity AS name,
       (extract(epoch FROM r.t) * 1000)::int8 AS t_ms, NULL::int8 AS whole, r.v AS real, r.q
FROM ingest.reading_gauge AS r JOIN ingest.series AS s USING (series_id)
WHERE %(gateways)s::text[] IS NULL OR s.gateway = ANY (%(gateways)s)
UNION ALL
SELECT s.gateway, s.device || '.' || s.quantity, (extract(epoch FROM r.t) * 1000)::int8, r.v, NULL::float8, r.q
FROM ingest.reading_register AS r JOIN ingest.series AS s USING (series_id)
WHERE %(gateways)s::text[] IS NULL OR s.gateway = ANY (%(gateways)s)
UNION ALL
SELECT s.gateway, s.device || '.' || s.quantity, (extract(epoch FROM r.t) * 1000)::int8, r.v, NULL::float8, r.q
FROM ingest.reading_state AS r JOIN ingest.series AS s USING (series_id)
WHERE %(gateways)s::text[] IS NULL OR s.gateway = ANY (%(gateways)s)
