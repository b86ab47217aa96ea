-- Under which contracts these days stood when they were last computed.
SELECT DISTINCT t.contract, t.day
FROM pg_temp.supply_scope AS s
JOIN energy.tariff_day AS t ON t.meter_id = s.meter_id AND t.feed_in = s.feed_in AND t.day = s.day
WHERE NOT t.feed_in AND t.contract IS NOT NULL
