SELECT d.letter_id, d.topic_id, d.topic, d.partition, d."offset", d.key, d.value, d.headers, d.timestamp_ms,
  d.at, d.reason, d.detail, d.gateway, d.epoch, d.seq, d.batch, d.tried_at, d.tried_reason, d.tried_detail,
  d.replayed_at, d.replayed_batch
FROM ingest.dead_letter AS d
WHERE d.letter_id = %(letter_id)s
  OR (d.topic = %(topic)s AND d.partition = %(partition)s AND d."offset" = %(offset)s)
ORDER BY d.letter_id
