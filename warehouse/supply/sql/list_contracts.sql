-- The contracts that a meter was under in a month.
SELECT DISTINCT contract
FROM energy.tariff_day
WHERE meter_id = %(meter_id)s AND NOT feed_in AND month = %(month)s AND contract IS NOT NULL
ORDER BY contract
