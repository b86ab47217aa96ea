UPDATE ingest.clock_repaired AS c SET undone_batch = %(batch)s WHERE c.repaired_id = ANY (%(repaired_ids)s::int8[])
