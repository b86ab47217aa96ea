-- What meters drew under these contracts in these months, by day and period.
SELECT t.contract, t.month, t.day, t.period, t.reason, m.unit, sum(t.energy),
       sum(t.measured + t.estimated)::int, sum(t.unknown)::int
FROM unnest(%(contracts)s::text[], %(months)s::date[]) AS asked (contract, month)
JOIN energy.tariff_day AS t ON t.contract = asked.contract AND t.month = asked.month
JOIN registry.meter AS m USING (meter_id)
WHERE NOT t.feed_in
GROUP BY t.contract, t.month, t.day, t.period, t.reason, m.unit
