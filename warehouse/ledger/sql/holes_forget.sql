DELETE FROM ingest.hole AS h WHERE h.closed_at < %(before)s
