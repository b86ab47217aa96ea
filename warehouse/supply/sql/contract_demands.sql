-- The highest demand of these contracts in these months, a row for each contracted demand.
SELECT contract, month, kw, known::int
FROM energy.contract_demand_month
WHERE (contract, month) IN (SELECT * FROM unnest(%(contracts)s::text[], %(months)s::date[]))
