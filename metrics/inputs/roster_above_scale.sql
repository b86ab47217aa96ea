SELECT to_char(%(period_last)s::date, 'YYYY-MM')
WHERE NOT EXISTS (
  SELECT
  FROM registry.roster_as_of(%(as_of)s) AS r
  WHERE r.roster = %(roster)s AND daterange(r.valid_from, r.valid_to) @> %(period_last)s::date
)
