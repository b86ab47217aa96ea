-- As a sink does, so that no message of these epochs is stored meanwhile.
SELECT FROM ingest.ledger AS l WHERE l.ledger_id = ANY (%(ledger_ids)s::int4[])
ORDER BY l.ledger_id FOR NO KEY UPDATE OF l
