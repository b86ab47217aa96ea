-- Of a meter its own demand; of a contract that of its sum, and below it each meter's.
SELECT NULL AS serial, d.contract, d.kw, d.at, d.estimated, d.known::int, d.unknown::int, d.contracted_kw, d.ratio
FROM energy.contract_demand_month AS d
WHERE d.month = %(month)s AND d.contract = %(contract)s
UNION ALL
SELECT m.serial, d.contract, d.kw, d.at, d.estimated, d.known::int, d.unknown::int, d.contracted_kw, d.ratio
FROM energy.demand_month AS d
JOIN registry.meter AS m USING (meter_id)
WHERE d.month = %(month)s AND (d.meter_id = %(meter_id)s OR d.contract = %(contract)s)
ORDER BY serial NULLS FIRST, contract, at
