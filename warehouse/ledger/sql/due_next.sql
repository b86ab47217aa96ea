SELECT d.gateway, d.day FROM ingest.count_due AS d ORDER BY d.since, d.day, d.gateway LIMIT %(most)s
