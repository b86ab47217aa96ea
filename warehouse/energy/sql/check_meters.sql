-- The next meters to be checked, all or some by their serial numbers.
SELECT meter_id
FROM registry.meter
WHERE meter_id > %(after)s AND (%(serials)s::text[] IS NULL OR serial = ANY(%(serials)s))
ORDER BY meter_id
LIMIT %(limit)s
