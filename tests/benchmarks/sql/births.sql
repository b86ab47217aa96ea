SELECT count(*) AS births FROM ingest.birth
