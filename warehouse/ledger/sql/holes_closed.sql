SELECT h.gateway, h.epoch, h.first, h.last, h.messages, h.readings_told, h.ended, h.seen_at, h.closed_at
FROM ingest.hole_history AS h
WHERE %(gateway)s::text IS NULL OR h.gateway = %(gateway)s
ORDER BY h.closed_at DESC, h.gateway, h.epoch, h.first
LIMIT %(limit)s
