-- The factor of each kind of energy that counts for the enterprise on the day; those that have one.
SELECT e.energy, f.value, f.unit, f.level, f.region, f.source, CASE WHEN f.valid_to <= %(day)s THEN f.valid_to END
FROM stats.energy AS e
CROSS JOIN LATERAL stats.resolve_factor(
  %(factor_set)s, %(version)s, e.energy, %(basis)s, %(regions)s, %(uscc)s, %(day)s, %(as_of)s,
  %(mass)s || '/' || e.unit, %(carry)s
) AS f
WHERE e.energy = ANY (%(energies)s)
