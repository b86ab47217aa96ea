DELETE FROM ingest.retention_run AS d WHERE d.action = 'kept' AND d.piece = %(piece)s AND d.reading = %(reading)s
