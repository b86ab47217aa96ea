-- Energy of an enterprise in a period of whole Shanghai days: the sum over its boundary meters, import only; null when
-- any day has an unknown quarter-hour.
SELECT CASE WHEN bool_or(d.unknown > 0) THEN NULL ELSE sum(d.energy) END
FROM energy.day AS d
JOIN registry.meter_placement AS p ON p.meter_id = d.meter_id AND p.role = 'boundary'
WHERE p.uscc = %(uscc)s AND NOT d.feed_in AND d.day >= %(first)s AND d.day < %(after)s;
