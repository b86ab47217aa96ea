-- The next marks that a consumer has not dealt with, in the order in which they were committed.
SELECT c.change_id, c.meter_id, c.feed_in, c.day, c.changed_at
FROM energy.day_changed AS c
WHERE c.change_id > (SELECT through FROM energy.consumer WHERE consumer = %(consumer)s)
ORDER BY c.change_id
LIMIT %(limit)s
