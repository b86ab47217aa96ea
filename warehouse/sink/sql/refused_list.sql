SELECT d.at, coalesce(d.gateway, '-'), d.reason, 'message', d.topic || '-' || d.partition || '@' || d."offset", d.detail
FROM ingest.dead_letter AS d
WHERE %(gateway)s::text IS NULL OR d.gateway = %(gateway)s
UNION ALL
SELECT j.at, l.gateway, j.reason, 'reading', l.epoch || '/' || j.seq || ' ' || j.name, j.detail
FROM ingest.reading_rejected AS j JOIN ingest.ledger AS l ON l.ledger_id = j.ledger_id
WHERE %(gateway)s::text IS NULL OR l.gateway = %(gateway)s
ORDER BY 1 DESC
LIMIT %(limit)s
