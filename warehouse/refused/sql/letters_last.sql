SELECT coalesce(max(d.letter_id), 0) FROM ingest.dead_letter AS d
