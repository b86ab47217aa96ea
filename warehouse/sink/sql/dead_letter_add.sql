INSERT INTO ingest.dead_letter
  (topic_id, topic, partition, "offset", key, value, headers, timestamp_ms, reason, detail, gateway, epoch, seq, batch)
VALUES
  (%(topic_id)s, %(topic)s, %(partition)s, %(offset)s, %(key)s, %(value)s, %(headers)s, %(timestamp_ms)s,
   %(reason)s, %(detail)s, %(gateway)s, %(epoch)s, %(seq)s, %(batch)s)
ON CONFLICT (topic_id, topic, partition, "offset", value_sha256) DO NOTHING
