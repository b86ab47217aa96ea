-- Pairs of energy and unit that cannot be brought to the unit of the energy, with that unit.
SELECT asked.energy, asked.unit, e.unit
FROM unnest(%(energies)s::text[], %(units)s::text[]) AS asked (energy, unit)
JOIN stats.energy AS e ON e.energy = asked.energy
WHERE stats.in_unit(1, asked.unit, e.unit) IS NULL
