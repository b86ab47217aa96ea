SELECT b.gateway, b.digest, n.name, s.series_id, s.kind, s.range
FROM unnest(%(gateways)s::text[], %(digests)s::text[]) AS w (gateway, digest)
JOIN ingest.birth AS b ON b.gateway = w.gateway AND b.digest = w.digest
JOIN ingest.birth_series AS n ON n.birth_id = b.birth_id
JOIN ingest.series AS s ON s.series_id = n.series_id
