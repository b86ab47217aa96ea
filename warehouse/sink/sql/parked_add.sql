INSERT INTO ingest.parked_message
  (gateway, digest, epoch, seq, topic_id, topic, partition, "offset", key, value, headers, timestamp_ms, batch)
VALUES
  (%(gateway)s, %(digest)s, %(epoch)s, %(seq)s, %(topic_id)s, %(topic)s, %(partition)s, %(offset)s,
   %(key)s, %(value)s, %(headers)s, %(timestamp_ms)s, %(batch)s)
ON CONFLICT (gateway, epoch, seq, value_sha256) DO NOTHING
