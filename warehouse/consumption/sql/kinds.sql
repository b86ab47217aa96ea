-- Every kind of energy.
SELECT energy, name_zh, name_en, unit, working_medium, carrier
FROM stats.energy
