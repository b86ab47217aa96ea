-- All gateways of a day, or one gateway on its last days.
SELECT g.gateway, g.day, g.ratio, g.expected, g.received, g.unexpected, g.bad, g.late, g.rejected, g.replaced,
  g.series, g.series_silent, g.counted_at
FROM ingest.completeness_gateway AS g
WHERE g.day BETWEEN %(first)s AND %(last)s AND (%(gateway)s::text IS NULL OR g.gateway = %(gateway)s)
ORDER BY g.gateway, g.day
