-- The roster must cover the period's last day; one that does not is told with the row that reaches furthest.
SELECT to_char(%(period_last)s::date, 'YYYY-MM') || coalesce((
  SELECT ' (the roster that is known, ' || r.source || ', covers ' || to_char(r.valid_from, 'YYYY-MM') || ' until before '
    || coalesce(to_char(r.valid_to, 'YYYY-MM'), 'now') || ': ' || r.uscc || ')'
  FROM registry.roster_as_of(%(as_of)s) AS r
  WHERE r.roster = %(roster)s
  ORDER BY r.valid_to DESC NULLS FIRST, r.valid_from DESC, r.uscc LIMIT 1
), '')
WHERE NOT EXISTS (
  SELECT
  FROM registry.roster_as_of(%(as_of)s) AS r
  WHERE r.roster = %(roster)s AND daterange(r.valid_from, r.valid_to) @> %(period_last)s::date
)
