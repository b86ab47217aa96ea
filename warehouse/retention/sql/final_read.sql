SELECT through, decided_by, document FROM ingest.final_through ORDER BY final_id DESC LIMIT 1
