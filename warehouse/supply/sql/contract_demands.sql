SELECT contract, month, kw, known::int
FROM energy.contract_demand_month AS d
WHERE (contract, month) IN (SELECT * FROM unnest(%(contracts)s::text[], %(months)s::date[]))
