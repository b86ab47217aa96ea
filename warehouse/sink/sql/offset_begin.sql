-- Claims partitions that nobody has stored yet; one that is missing from the answer was claimed by somebody else.
INSERT INTO ingest.sink_offset (cluster_id, topic_id, topic, partition, next_offset)
SELECT %(cluster_id)s, w.topic_id, w.topic, w.partition, w.next_offset
FROM unnest(%(topics)s::text[], %(topic_ids)s::text[], %(partitions)s::int4[], %(offsets)s::int8[])
  AS w (topic, topic_id, partition, next_offset)
ORDER BY w.topic, w.partition
ON CONFLICT (cluster_id, topic_id, topic, partition) DO NOTHING
RETURNING topic, partition
