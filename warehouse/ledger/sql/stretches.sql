-- When readings of these gateways' series are expected within a time, and how often.
SELECT e.series_id, e.interval_ms, greatest(lower(e.times), %(from)s), least(upper(e.times), %(to)s)
FROM ingest.expectation AS e
WHERE e.gateway = ANY(%(gateways)s) AND e.times && tstzrange(%(from)s, %(to)s)
