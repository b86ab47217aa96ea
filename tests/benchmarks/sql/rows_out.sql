-- Gauges in their order of arrival: message by message, in it series by series.
COPY (
  SELECT series_id, t, v, q, message FROM ingest.reading_gauge
  WHERE ingest.seq_of(message) BETWEEN %(first)s AND %(last)s
  ORDER BY ingest.seq_of(message), message, series_id, t
) TO STDOUT (FORMAT binary)
