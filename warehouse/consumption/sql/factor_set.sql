-- The latest version of a set.
SELECT max(version)
FROM stats.factor_set
WHERE factor_set = %(factor_set)s AND recorded_at <= %(as_of)s
