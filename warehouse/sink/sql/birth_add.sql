INSERT INTO ingest.birth (gateway, digest, agent, claimed_enterprise, body, received_at, batch)
SELECT %(gateway)s, %(digest)s, %(agent)s, %(enterprise)s, %(body)s, to_timestamp(%(received_ms)s / 1000.0), %(batch)s
WHERE NOT EXISTS (SELECT FROM ingest.birth AS b WHERE b.gateway = %(gateway)s AND b.digest = %(digest)s)
RETURNING birth_id
