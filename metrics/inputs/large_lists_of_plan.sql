-- Years of the plan, up to the period's, of which no list is known.
SELECT extract(year FROM year)::int::text
FROM generate_series(
  %(plan_start)s::date::timestamp, least(%(period_end)s::date, %(plan_end)s::date)::timestamp - interval '1 day', '1 year'
) AS year
WHERE NOT EXISTS (
  SELECT
  FROM registry.roster_as_of(%(as_of)s) AS r
  WHERE r.roster = %(large_roster)s
    AND daterange(r.valid_from, r.valid_to) && daterange(year::date, (year + interval '1 year')::date)
)
ORDER BY year
