INSERT INTO ingest.sink_standing AS s (sink, at, pace, lag_records, behind_s, in_per_s, out_per_s, minutes_left)
VALUES (%(sink)s, clock_timestamp(), %(pace)s, %(lag_records)s, %(behind_s)s, %(in_per_s)s, %(out_per_s)s, %(minutes_left)s)
ON CONFLICT (sink) DO UPDATE SET at = excluded.at, pace = excluded.pace, lag_records = excluded.lag_records,
  behind_s = excluded.behind_s, in_per_s = excluded.in_per_s, out_per_s = excluded.out_per_s,
  minutes_left = excluded.minutes_left
