UPDATE ingest.clock_repair AS r
SET undone_at = coalesce(r.undone_at, clock_timestamp()), undone_by = coalesce(r.undone_by, %(by)s, session_user)
WHERE r.repair_id = %(repair_id)s
RETURNING r.gateway
