SELECT (due, value, value_high, wording, base) IS NOT DISTINCT FROM
  (%(due)s::date, %(value)s::numeric, %(value_high)s::numeric, %(wording)s::text, %(base)s::numeric)
FROM indicator.target
WHERE indicator = %(indicator)s AND version = %(version)s
