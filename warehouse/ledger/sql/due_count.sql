SELECT count(*) FROM ingest.count_due
