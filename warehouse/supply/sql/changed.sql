SELECT c.change_id, c.meter_id, c.feed_in, c.day
FROM energy.day_changed AS c
WHERE c.change_id > (SELECT through FROM energy.consumer WHERE consumer = 'supply')
ORDER BY c.change_id
LIMIT %(at_most)s
