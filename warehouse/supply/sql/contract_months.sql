-- The months of these contracts, in these ranges, that were counted or are.
SELECT c.contract, c.month
FROM unnest(%(contracts)s::text[], %(from_days)s::date[], %(to_days)s::date[]) AS asked (contract, from_day, to_day)
JOIN energy.cost_month AS c
  ON c.contract = asked.contract AND c.month BETWEEN date_trunc('month', asked.from_day)::date AND asked.to_day
UNION
SELECT t.contract, t.month
FROM unnest(%(contracts)s::text[], %(from_days)s::date[], %(to_days)s::date[]) AS asked (contract, from_day, to_day)
JOIN energy.tariff_day AS t
  ON t.contract = asked.contract AND t.month BETWEEN date_trunc('month', asked.from_day)::date AND asked.to_day
WHERE NOT t.feed_in
