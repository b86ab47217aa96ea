-- Hours, days and months of some meters summed up from quarter-hours, each by itself, against what is stored.
WITH quarter AS MATERIALIZED (
  SELECT q.meter_id, q.feed_in, q.start, q.start AT TIME ZONE 'Asia/Shanghai' AS local, q.holder_id, q.energy, q.quality
  FROM energy.quarter AS q
  WHERE q.meter_id = ANY(%(meters)s)
    AND q.start >= date_trunc('month', %(from_day)s::date::timestamp) AT TIME ZONE 'Asia/Shanghai'
    AND q.start < (date_trunc('month', (%(to_day)s::date - 1)::timestamp) + interval '1 month') AT TIME ZONE 'Asia/Shanghai'
),
summed AS (
  SELECT level, q.meter_id, q.feed_in,
         CASE level
           WHEN 'hour' THEN date_trunc('hour', q.local)
           WHEN 'day' THEN date_trunc('day', q.local)
           ELSE date_trunc('month', q.local)
         END AS at,
         q.holder_id, sum(q.energy) AS energy,
         count(*) FILTER (WHERE q.quality = 'measured') AS measured,
         count(*) FILTER (WHERE q.quality = 'estimated') AS estimated,
         count(*) FILTER (WHERE q.quality = 'unknown') AS unknown
  FROM quarter AS q
  CROSS JOIN (VALUES ('hour'), ('day'), ('month')) AS levels (level)
  WHERE level = 'month' OR (q.local >= %(from_day)s::date AND q.local < %(to_day)s::date)
  GROUP BY 1, 2, 3, 4, 5
),
stored AS (
  SELECT 'hour' AS level, h.meter_id, h.feed_in, h.start AT TIME ZONE 'Asia/Shanghai' AS at, h.holder_id, h.energy,
         h.measured, h.estimated, h.unknown
  FROM energy.hour AS h
  WHERE h.meter_id = ANY(%(meters)s)
    AND h.start >= %(from_day)s::date::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND h.start < %(to_day)s::date::timestamp AT TIME ZONE 'Asia/Shanghai'
  UNION ALL
  SELECT 'day', d.meter_id, d.feed_in, d.day::timestamp, d.holder_id, d.energy, d.measured, d.estimated, d.unknown
  FROM energy.day AS d
  WHERE d.meter_id = ANY(%(meters)s) AND d.day >= %(from_day)s::date AND d.day < %(to_day)s::date
  UNION ALL
  SELECT 'month', m.meter_id, m.feed_in, m.month::timestamp, m.holder_id, m.energy, m.measured, m.estimated, m.unknown
  FROM energy.month AS m
  WHERE m.meter_id = ANY(%(meters)s)
    AND m.month >= date_trunc('month', %(from_day)s::date::timestamp) AND m.month < %(to_day)s::date
),
compared AS (
  SELECT level, meter_id, feed_in, at, holder_id,
         CASE WHEN t.measured IS NOT NULL THEN
           concat_ws(' ', coalesce(trim_scale(t.energy)::text, 'unknown'), t.measured, t.estimated, t.unknown) END
           AS stored,
         CASE WHEN s.measured IS NOT NULL THEN
           concat_ws(' ', coalesce(trim_scale(s.energy)::text, 'unknown'), s.measured, s.estimated, s.unknown) END
           AS expected
  FROM stored AS t
  FULL JOIN summed AS s USING (level, meter_id, feed_in, at, holder_id)
)
SELECT count(*), count(*) FILTER (WHERE stored IS DISTINCT FROM expected),
       (array_agg(
         jsonb_build_object('level', level, 'meter_id', meter_id, 'feed_in', feed_in,
                            'start', to_char(at, 'YYYY-MM-DD HH24:MI'), 'stored', stored, 'expected', expected)
         ORDER BY level, meter_id, feed_in, at, holder_id
       ) FILTER (WHERE stored IS DISTINCT FROM expected))[1:%(most)s]
FROM compared
