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
    FROM stats.resolve_factor(
      %(factor_set)s, %(factor_set_version)s, e.energy, %(factor_basis)s, %(factor_regions)s, p.uscc,
      %(period_last)s, %(as_of)s, 'kgce/' || m.unit
    )
  )
ORDER BY 1
