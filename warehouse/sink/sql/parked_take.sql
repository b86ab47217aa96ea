-- Parked messages whose birth is known by now, oldest first; another sink's are left to it.
DELETE FROM ingest.parked_message AS p
WHERE p.parked_id IN (
  SELECT q.parked_id FROM ingest.parked_message AS q
  JOIN ingest.birth AS b ON b.gateway = q.gateway AND b.digest = q.digest
  ORDER BY q.parked_id LIMIT %(most)s
  FOR UPDATE OF q SKIP LOCKED
)
RETURNING p.topic_id, p.topic, p.partition, p."offset", p.key, p.value, p.headers, p.timestamp_ms
