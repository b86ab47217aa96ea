UPDATE ingest.sink_offset AS o SET next_offset = w.next_offset
FROM unnest(%(topics)s::text[], %(topic_ids)s::text[], %(partitions)s::int4[], %(offsets)s::int8[])
  AS w (topic, topic_id, partition, next_offset)
WHERE o.cluster_id = %(cluster_id)s AND o.topic_id = w.topic_id AND o.topic = w.topic AND o.partition = w.partition
