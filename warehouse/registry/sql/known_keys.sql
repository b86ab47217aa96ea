-- Every key that a row of a file may refer to: what it is a key of, the key, its fixed attribute, its number.
SELECT 'area', area, kind, NULL::int FROM registry.area
UNION ALL
SELECT 'platform', platform, NULL, NULL FROM registry.platform
UNION ALL
SELECT 'energy', energy, NULL, NULL FROM stats.energy
UNION ALL
SELECT 'factor_set', factor_set, NULL, version FROM stats.factor_set
UNION ALL
SELECT 'meter', serial, carrier, meter_id FROM registry.meter
UNION ALL
SELECT 'cluster', cluster, NULL, NULL FROM registry.cluster
UNION ALL
SELECT 'tariff', tariff, NULL, NULL FROM registry.tariff
UNION ALL
SELECT 'contract', contract, carrier, NULL FROM registry.supply_contract
UNION ALL
SELECT 'variable', variable, NULL, NULL FROM stats.variable
