-- Only when it is another one than the gateway had said last.
INSERT INTO ingest.birth_said (gateway, birth_id, said_at)
SELECT b.gateway, b.birth_id, to_timestamp(%(said_ms)s / 1000.0)
FROM ingest.birth AS b
WHERE b.gateway = %(gateway)s AND b.digest = %(digest)s
  AND b.birth_id IS DISTINCT FROM (
    SELECT s.birth_id FROM ingest.birth_said AS s
    WHERE s.gateway = %(gateway)s AND s.said_at <= to_timestamp(%(said_ms)s / 1000.0)
    ORDER BY s.said_at DESC, s.said_id DESC LIMIT 1
  )
ON CONFLICT (gateway, said_at, birth_id) DO NOTHING
