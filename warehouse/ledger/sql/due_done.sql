DELETE FROM ingest.count_due AS d WHERE d.day = %(day)s AND d.gateway = ANY(%(gateways)s)
