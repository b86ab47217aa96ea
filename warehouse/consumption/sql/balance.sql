-- Balances of a period, of one meter or of all.
SELECT m.serial, b.day, b.energy, b.generated, b.used, b.children, b.unknown, b.difference, b.ratio, b.reason
FROM energy.balance_day AS b
JOIN registry.meter AS m ON m.meter_id = b.parent_id
WHERE b.day >= %(start)s AND b.day < %(end)s
  AND (%(serial)s::text IS NULL OR b.parent_id = (SELECT meter_id FROM registry.meter WHERE serial = %(serial)s))
ORDER BY m.serial, b.day
