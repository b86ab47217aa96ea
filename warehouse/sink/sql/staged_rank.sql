-- Every version of the staged keys, stored ones included, by the order that decides (design §3.6). It is total on what
-- differs, so it does not depend on the order of arrival: smaller quality, later epoch, later message, larger value.
INSERT INTO {ranked} (series_id, t, v, q, message, present, met, place)
SELECT
  x.series_id, x.t, x.v, x.q, x.message, bool_or(x.present),
  bool_or(bool_or(x.present)) OVER (PARTITION BY x.series_id, x.t),
  row_number() OVER (
    PARTITION BY x.series_id, x.t
    ORDER BY x.q, l.epoch DESC, ingest.seq_of(x.message) DESC, x.v DESC NULLS LAST
  )
FROM (
  SELECT s.series_id, s.t, s.v, s.q, s.message, false AS present FROM {staged} AS s
  UNION ALL
  SELECT r.series_id, r.t, r.v, r.q, r.message, true
  FROM (SELECT DISTINCT s.series_id, s.t FROM {staged} AS s) AS k
  JOIN {reading} AS r ON r.series_id = k.series_id AND r.t = k.t
  WHERE r.t BETWEEN to_timestamp(%(from_ms)s / 1000.0) AND to_timestamp(%(to_ms)s / 1000.0)
) AS x
JOIN ingest.ledger AS l ON l.ledger_id = ingest.ledger_of(x.message)
GROUP BY x.series_id, x.t, x.v, x.q, x.message, l.epoch
