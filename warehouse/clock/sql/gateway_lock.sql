-- As a sink does before it stores a message, so that none of this gateway's comes meanwhile.
SELECT l.ledger_id FROM ingest.ledger AS l WHERE l.gateway = %(gateway)s
ORDER BY l.ledger_id FOR NO KEY UPDATE OF l
