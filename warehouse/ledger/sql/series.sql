-- The series of gateways, and at most how many readings a day each should bring.
SELECT s.gateway, s.series_id, s.kind, 86400000 / coalesce(min(n.interval_ms), 86400000)
FROM ingest.series AS s
LEFT JOIN ingest.birth_series AS n ON n.series_id = s.series_id
WHERE s.gateway = ANY(%(gateways)s)
GROUP BY s.gateway, s.series_id, s.kind
ORDER BY s.gateway, s.series_id
