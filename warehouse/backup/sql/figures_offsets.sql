SELECT o.topic, o.topic_id, o.partition, o.next_offset FROM ingest.sink_offset AS o ORDER BY 1, 3, 2
