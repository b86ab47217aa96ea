SELECT count(*) AS rows FROM ingest.reading_gauge
