-- A stretch of quarter-hours of every meter, in order of time as the job writes them.
INSERT INTO energy.quarter (meter_id, feed_in, start, energy, quality, reason, holder_id)
SELECT m.meter_id, false, t.start,
       CASE WHEN k.n %% 997 = 0 THEN NULL ELSE (1000 + k.n %% 9000) * 0.01 END,
       CASE WHEN k.n %% 997 = 0 THEN 'unknown' WHEN k.n %% 101 = 0 THEN 'estimated' ELSE 'measured' END,
       CASE WHEN k.n %% 997 = 0 THEN 'no_reading' WHEN k.n %% 101 = 0 THEN 'gap' END,
       h.holder_id
FROM generate_series(%(from)s::timestamptz, %(to)s::timestamptz - interval '15 minutes', interval '15 minutes') AS t (start)
CROSS JOIN (
  SELECT p.meter_id, p.uscc FROM registry.meter_placement AS p
) AS m
JOIN energy.holder AS h ON h.uscc = m.uscc
CROSS JOIN LATERAL (SELECT extract(epoch FROM t.start)::int8 / 900 + m.meter_id * 7919) AS k (n)
ORDER BY t.start, m.meter_id
