-- What an enterprise's boundary and generation meters say of a time, each register by itself, in parts by placement.
WITH placed AS (
  SELECT
    p.meter_id, p.role,
    greatest(p.valid_from, %(from_t)s) AS from_t,
    least(coalesce(p.valid_to, 'infinity'), %(to_t)s) AS to_t
  FROM registry.meter_placement_as_of(%(as_of)s) AS p
  WHERE p.uscc = %(uscc)s AND p.role IN ('boundary', 'generation')
    AND tstzrange(p.valid_from, p.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
),
register AS (
  -- What a meter draws is always expected, connected or not; what it feeds back only where a series tells it.
  SELECT placed.*, false AS feed_in FROM placed
  UNION ALL
  SELECT placed.*, true
  FROM placed
  WHERE EXISTS (
    SELECT
    FROM registry.meter_series_as_of(%(as_of)s) AS s
    WHERE s.meter_id = placed.meter_id AND s.feed_in
      AND tstzrange(s.valid_from, s.valid_to) && tstzrange(placed.from_t, placed.to_t))
)
SELECT
  m.serial, m.carrier, m.unit, r.role, r.feed_in, q.energy, coalesce(q.known, 0), coalesce(q.estimated, 0),
  round(extract(epoch FROM r.to_t - r.from_t) / 900)::bigint
FROM register AS r
JOIN registry.meter AS m USING (meter_id)
LEFT JOIN LATERAL (
  SELECT
    sum(q.energy) AS energy,
    count(q.energy) AS known,
    count(*) FILTER (WHERE q.quality = 'estimated') AS estimated
  FROM energy.quarter AS q
  WHERE q.meter_id = r.meter_id AND q.feed_in = r.feed_in AND q.start >= r.from_t AND q.start < r.to_t
) AS q ON true
ORDER BY m.carrier, m.serial, r.from_t, r.feed_in
