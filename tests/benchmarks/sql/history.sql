-- Readings that have been there for long: each series, every second of a span that ends before a time.
INSERT INTO ingest.reading_gauge (series_id, t, v, q, message)
SELECT s.series_id, to_timestamp(%(before_ms)s / 1000.0) - g.n * interval '1 second', 250 + g.n %% 40, 0, 0
FROM ingest.series AS s CROSS JOIN generate_series(%(first)s::int8, %(last)s::int8) AS g (n)
ORDER BY s.series_id, g.n DESC
