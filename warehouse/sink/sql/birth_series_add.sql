INSERT INTO ingest.birth_series (birth_id, name, series_id, interval_ms, claimed_pt, claimed_ct, rated_max)
SELECT %(birth_id)s, w.name, s.series_id, w.interval_ms, w.claimed_pt, w.claimed_ct, w.rated_max
FROM unnest(
  %(names)s::text[], %(identities)s::text[], %(intervals_ms)s::int4[],
  %(claimed_pts)s::float8[], %(claimed_cts)s::float8[], %(rated_maxima)s::float8[]
) AS w (name, identity, interval_ms, claimed_pt, claimed_ct, rated_max)
JOIN ingest.series AS s ON s.gateway = %(gateway)s AND s.identity = w.identity
