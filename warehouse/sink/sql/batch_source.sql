INSERT INTO ingest.batch_source (batch, topic_id, topic, partition, from_offset, to_offset)
SELECT %(batch)s, w.topic_id, w.topic, w.partition, w.from_offset, w.to_offset
FROM unnest(%(topics)s::text[], %(topic_ids)s::text[], %(partitions)s::int4[], %(firsts)s::int8[], %(offsets)s::int8[])
  AS w (topic, topic_id, partition, from_offset, to_offset)
