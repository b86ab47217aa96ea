SELECT s.device || '.' || s.quantity, c.day,
  least(c.received - c.unexpected, c.expected)::numeric / nullif(c.expected, 0) AS ratio,
  c.expected, c.received, c.unexpected, c.bad, c.late, c.rejected, c.replaced, c.counted_at
FROM ingest.completeness AS c
JOIN ingest.series AS s ON s.series_id = c.series_id
WHERE s.gateway = %(gateway)s AND c.day = %(day)s
ORDER BY s.device, s.quantity, c.series_id
