-- Waiting messages after (rank, letter_id), births first: other messages may need them. A few, and not too many bytes.
SELECT p.rank, p.letter_id, p.reason, p.topic_id, p.topic, p.partition, p."offset", p.key, p.value, p.headers, p.timestamp_ms
FROM (
  SELECT n.*, sum(n.size) OVER (ORDER BY n.rank, n.letter_id) - n.size AS bytes_before
  FROM (
    SELECT
      (d.topic <> %(births)s)::int4 AS rank, d.letter_id, coalesce(d.tried_reason, d.reason) AS reason,
      d.topic_id, d.topic, d.partition, d."offset", d.key, d.value, d.headers, d.timestamp_ms,
      octet_length(d.value) AS size
    FROM ingest.dead_letter AS d
    WHERE d.replayed_at IS NULL
      AND ((d.topic <> %(births)s)::int4, d.letter_id) > (%(rank)s, %(after)s)
      AND d.letter_id <= %(last)s
      AND (%(gateway)s::text IS NULL OR d.gateway = %(gateway)s)
      AND (%(reason)s::text IS NULL OR coalesce(d.tried_reason, d.reason) = %(reason)s)
      AND (%(since)s::timestamptz IS NULL OR d.at >= %(since)s)
      AND (%(letter_id)s::int8 IS NULL OR d.letter_id = %(letter_id)s)
    ORDER BY 1, 2
    LIMIT %(most)s
  ) AS n
) AS p
WHERE p.bytes_before <= %(most_bytes)s
ORDER BY p.rank, p.letter_id
