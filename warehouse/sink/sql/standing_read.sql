SELECT s.pace, s.lag_records, s.behind_s, s.in_per_s, s.out_per_s, s.minutes_left, s.is_old FROM ingest.standing AS s
