SELECT t.contract, t.tariff, t.period, t.reason, m.unit, sum(t.energy),
       sum(t.measured)::int, sum(t.estimated)::int, sum(t.unknown)::int
FROM energy.tariff_month AS t
JOIN registry.meter AS m USING (meter_id)
WHERE t.month = %(month)s AND t.feed_in = %(feed_in)s
  AND (%(meter_id)s::int IS NULL OR t.meter_id = %(meter_id)s)
  AND (%(contract)s::text IS NULL OR t.contract = %(contract)s)
GROUP BY t.contract, t.tariff, t.period, t.reason, m.unit
ORDER BY t.contract, t.tariff, m.unit,
         array_position('{sharp,peak,flat,valley,deep_valley,single,unknown}', t.period), t.reason
