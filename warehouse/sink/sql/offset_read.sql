SELECT o.topic, o.partition, o.next_offset
FROM unnest(%(topics)s::text[], %(topic_ids)s::text[], %(partitions)s::int4[]) AS w (topic, topic_id, partition)
JOIN ingest.sink_offset AS o ON o.topic = w.topic AND o.topic_id = w.topic_id AND o.partition = w.partition
WHERE o.cluster_id = %(cluster_id)s
