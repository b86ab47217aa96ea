-- Ranges within which factors must lie.
SELECT factor_set, version, energy, basis, low, high, unit
FROM stats.factor_range
