-- Two sinks, one with a birth and one with telemetry that waits for it, take turns; sorted, so that they cannot deadlock.
SELECT pg_advisory_xact_lock(k.key)
FROM (SELECT hashtextextended(d.digest, 0) AS key FROM unnest(%(digests)s::text[]) AS d (digest) ORDER BY 1) AS k
