-- Kinds of energy that boundary meters measure in the month and the set has no factor for.
SELECT DISTINCT coalesce(e.energy, m.carrier)
FROM registry.meter_placement_as_of(%(as_of)s) AS p
JOIN registry.meter AS m USING (meter_id)
LEFT JOIN stats.energy AS e ON e.carrier = m.carrier
WHERE p.role IN ('boundary', 'generation')
  AND tstzrange(p.valid_from, p.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
  AND (%(include_working_media)s OR NOT coalesce(e.working_medium, false))
  AND NOT EXISTS (
    SELECT
    FROM stats.factor AS f
    WHERE f.factor_set = %(factor_set)s AND f.version = %(factor_set_version)s AND f.energy = e.energy
      AND f.basis = %(factor_basis)s AND f.region = ANY(%(factor_regions)s)
      AND (f.uscc IS NULL OR f.uscc = p.uscc)
      AND daterange(f.valid_from, f.valid_to) @> %(period_last)s::date
      AND f.recorded_at <= %(as_of)s
      AND f.unit = 'kgce/' || m.unit
  )
ORDER BY 1
