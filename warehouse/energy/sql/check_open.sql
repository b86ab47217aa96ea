-- The first check of a night that is not finished.
SELECT check_id, from_day, to_day, after_meter
FROM energy.check_run
WHERE night = %(night)s AND finished_at IS NULL
ORDER BY check_id
LIMIT 1
