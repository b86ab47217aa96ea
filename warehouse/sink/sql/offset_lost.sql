INSERT INTO ingest.offset_loss (cluster_id, topic_id, topic, partition, stored_offset, log_start)
VALUES (%(cluster_id)s, %(topic_id)s, %(topic)s, %(partition)s, %(stored)s, %(log_start)s)
ON CONFLICT (topic_id, topic, partition, stored_offset)
DO UPDATE SET log_start = greatest(offset_loss.log_start, excluded.log_start)
