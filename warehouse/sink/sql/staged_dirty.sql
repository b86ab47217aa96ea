INSERT INTO ingest.dirty (series_id, t_from, t_to, batch)
SELECT w.series_id, min(w.t), max(w.t), %(batch)s
FROM {ranked} AS w, ingest.watermark AS m
WHERE w.place = 1 AND NOT w.present AND w.t < m.closed_through
GROUP BY w.series_id
