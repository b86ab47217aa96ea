INSERT INTO indicator.evidence_set (evidence_digest, members)
VALUES (%(evidence_digest)s, %(members)s)
ON CONFLICT (evidence_digest) DO NOTHING
RETURNING true
