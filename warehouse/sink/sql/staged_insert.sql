INSERT INTO {reading} (series_id, t, v, q, message)
SELECT w.series_id, w.t, w.v, w.q, w.message
FROM {ranked} AS w
WHERE w.place = 1 AND NOT w.met
ORDER BY w.series_id, w.t
