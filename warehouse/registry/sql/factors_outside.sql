-- Registered factors that a new range would exclude.
SELECT value
FROM stats.factor
WHERE factor_set = %(factor_set)s AND version = %(version)s AND energy = %(energy)s AND basis = %(basis)s
  AND unit = %(unit)s AND value NOT BETWEEN %(low)s AND %(high)s
