-- Every meter, its unit, and the meters of its terms if it is virtual.
SELECT m.serial, m.unit,
       coalesce(array_agg(DISTINCT t.serial) FILTER (WHERE t.serial IS NOT NULL), '{}')
FROM registry.meter AS m
LEFT JOIN registry.virtual_term AS v ON v.meter_id = m.meter_id
LEFT JOIN registry.meter AS t ON t.meter_id = v.term_id
GROUP BY m.serial, m.unit
