COPY ingest.reading_gauge (series_id, t, v, q, message) FROM STDIN (FORMAT binary)
