UPDATE {reading} AS r SET v = w.v, q = w.q, message = w.message
FROM {ranked} AS w
WHERE w.place = 1 AND w.met AND NOT w.present AND r.series_id = w.series_id AND r.t = w.t
  AND r.t BETWEEN to_timestamp(%(from_ms)s / 1000.0) AND to_timestamp(%(to_ms)s / 1000.0)
