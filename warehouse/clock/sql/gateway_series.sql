SELECT s.series_id, s.kind FROM ingest.series AS s WHERE s.gateway = %(gateway)s ORDER BY s.series_id
