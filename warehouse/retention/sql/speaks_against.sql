SELECT s.reason, s.detail FROM ingest.speaks_against(%(reading)s, %(from_t)s, %(to_t)s) AS s
