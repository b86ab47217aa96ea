DELETE FROM ingest.clock_fault WHERE fault_id = %(fault_id)s
