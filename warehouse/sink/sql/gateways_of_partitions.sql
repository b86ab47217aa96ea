SELECT DISTINCT l.gateway FROM ingest.ledger AS l
WHERE l.partition = ANY (%(partitions)s::int4[]) AND l.ended_at IS NULL
