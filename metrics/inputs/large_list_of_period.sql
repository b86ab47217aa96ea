SELECT extract(year FROM %(period_last)s::date)::int::text
WHERE NOT EXISTS (
  SELECT
  FROM registry.roster_as_of(%(as_of)s) AS r
  WHERE r.roster = %(large_roster)s AND daterange(r.valid_from, r.valid_to) @> %(period_last)s::date
)
