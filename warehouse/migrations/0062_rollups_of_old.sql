-- Hours and months of what was accounted for before there were any.

INSERT INTO energy.hour (meter_id, feed_in, start, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, date_trunc('hour', start, 'Asia/Shanghai'), sum(energy),
       count(*) FILTER (WHERE quality = 'measured'),
       count(*) FILTER (WHERE quality = 'estimated'),
       count(*) FILTER (WHERE quality = 'unknown')
FROM energy.quarter
GROUP BY meter_id, feed_in, date_trunc('hour', start, 'Asia/Shanghai');

INSERT INTO energy.month (meter_id, feed_in, month, energy, measured, estimated, unknown)
SELECT meter_id, feed_in, date_trunc('month', day)::date, sum(energy), sum(measured), sum(estimated), sum(unknown)
FROM energy.day
GROUP BY meter_id, feed_in, date_trunc('month', day)::date;
