-- Hours, days and months of what was just written.
INSERT INTO energy.hour (meter_id, feed_in, start, holder_id, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, date_bin('1 hour', start, '2020-01-01'), holder_id, sum(energy),
       count(*) FILTER (WHERE quality = 'measured'), count(*) FILTER (WHERE quality = 'estimated'),
       count(*) FILTER (WHERE quality = 'unknown')
FROM energy.quarter
WHERE start >= %(from)s AND start < %(to)s
GROUP BY 1, 2, 3, 4;
INSERT INTO energy.day (meter_id, feed_in, day, holder_id, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, (start AT TIME ZONE 'Asia/Shanghai')::date, holder_id, sum(energy), sum(measured), sum(estimated),
       sum(unknown)
FROM energy.hour
WHERE start >= %(from)s AND start < %(to)s
GROUP BY 1, 2, 3, 4;
INSERT INTO energy.month (meter_id, feed_in, month, holder_id, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, date_trunc('month', day)::date, holder_id, sum(energy), sum(measured), sum(estimated), sum(unknown)
FROM energy.day
WHERE day >= (%(from)s AT TIME ZONE 'Asia/Shanghai')::date AND day < (%(to)s AT TIME ZONE 'Asia/Shanghai')::date
GROUP BY 1, 2, 3, 4
