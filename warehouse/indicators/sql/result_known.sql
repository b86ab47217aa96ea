-- The version that was current at a time.
SELECT *
FROM indicator.result
WHERE indicator = %(indicator)s AND scope = %(scope)s AND period_type = %(period_type)s AND period = %(period)s
  AND as_of <= %(as_of)s
ORDER BY as_of DESC, version DESC
LIMIT 1
