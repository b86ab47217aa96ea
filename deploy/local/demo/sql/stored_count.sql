-- How many readings are stored, and how many of them were read before the demo began.
SELECT count(*), count(*) FILTER (WHERE t < %(began)s)
FROM (
  SELECT t FROM ingest.reading_gauge
  UNION ALL SELECT t FROM ingest.reading_register
  UNION ALL SELECT t FROM ingest.reading_state
) AS reading;
