-- Whether the quarter-hours of some meters are given to whoever had the meter, by the registry as it is known now.
WITH compared AS (
  SELECT q.meter_id, q.feed_in, q.start, concat_ws(' ', e.uscc, e.areas::text) AS stored,
         concat_ws(' ', h.uscc, h.areas::text) AS expected
  FROM energy.quarter AS q
  LEFT JOIN energy.holder AS e USING (holder_id)
  JOIN energy.holding(%(meters)s::int4[]) AS h
    ON h.meter_id = q.meter_id AND h.from_t <= q.start AND q.start < h.to_t
  WHERE q.meter_id = ANY(%(meters)s)
    AND q.start >= %(from_day)s::date::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND q.start < %(to_day)s::date::timestamp AT TIME ZONE 'Asia/Shanghai'
)
SELECT count(*), count(*) FILTER (WHERE stored <> expected),
       (array_agg(
         jsonb_build_object('level', 'holder', 'meter_id', meter_id, 'feed_in', feed_in,
                            'start', to_char(start AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),
                            'stored', stored, 'expected', expected)
         ORDER BY meter_id, feed_in, start
       ) FILTER (WHERE stored <> expected))[1:%(most)s]
FROM compared
