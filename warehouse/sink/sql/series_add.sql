-- Not by ON CONFLICT alone: each attempt would use up a number, and births are repeated often.
INSERT INTO ingest.series (gateway, identity, device, quantity, unit, kind, carrier, meter, decimals, range, batch)
SELECT DISTINCT ON (w.identity)
  %(gateway)s, w.identity, w.device, w.quantity, w.unit, w.kind, w.carrier, w.meter, w.decimals, w.range, %(batch)s
FROM unnest(
  %(identities)s::text[], %(devices)s::text[], %(quantities)s::text[], %(units)s::text[], %(kinds)s::text[],
  %(carriers)s::text[], %(meters)s::text[], %(decimals)s::int2[], %(ranges)s::int8[]
) AS w (identity, device, quantity, unit, kind, carrier, meter, decimals, range)
WHERE NOT EXISTS (SELECT FROM ingest.series AS s WHERE s.gateway = %(gateway)s AND s.identity = w.identity)
ORDER BY w.identity
ON CONFLICT (gateway, identity) DO NOTHING
