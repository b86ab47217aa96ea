-- The month before a day that was checked longest ago, or never, the latest of these first; none when there is no month.
SELECT m.month, (m.month + interval '1 month')::date
FROM (SELECT DISTINCT month FROM energy.month WHERE month + interval '1 month' <= %(before)s::date) AS m
LEFT JOIN (
  SELECT from_day, max(night) AS night FROM energy.check_run WHERE part = 'older' GROUP BY from_day
) AS c ON c.from_day = m.month
ORDER BY c.night NULLS FIRST, m.month DESC
LIMIT 1
