-- Enterprises by turns in parks, meters by turns at enterprises, everything from before the year on and consented.
INSERT INTO registry.area (area, kind) SELECT area, 'park' FROM unnest(%(parks)s::text[]) AS p (area);
INSERT INTO registry.area_attribute (area, valid_from, name_zh, legal_basis, source)
SELECT area, '2020-01-01', area, 'administrative', 'synthetic' FROM unnest(%(parks)s::text[]) AS p (area);
INSERT INTO registry.enterprise (uscc) SELECT uscc FROM unnest(%(enterprises)s::text[]) AS e (uscc);
INSERT INTO registry.enterprise_attribute (uscc, valid_from, name, size, legal_basis, source)
SELECT uscc, '2020-01-01', 'synthetic ' || n, 'small', 'administrative', 'synthetic'
FROM unnest(%(enterprises)s::text[]) WITH ORDINALITY AS e (uscc, n);
INSERT INTO registry.enterprise_area (uscc, area, valid_from, legal_basis, source)
SELECT uscc, (%(parks)s::text[])[1 + n %% cardinality(%(parks)s::text[])], '2020-01-01', 'administrative', 'synthetic'
FROM unnest(%(enterprises)s::text[]) WITH ORDINALITY AS e (uscc, n);
INSERT INTO registry.consent (uscc, purpose, valid_from, document, legal_basis, source)
SELECT uscc, purpose, '2020-01-01', 'synthetic', 'consented', 'synthetic'
FROM unnest(%(enterprises)s::text[]) AS e (uscc) CROSS JOIN unnest(ARRAY['park_view', 'statistics']) AS p (purpose);
INSERT INTO registry.meter (serial, carrier, unit)
SELECT 'bench-' || n, 'electricity', 'kWh' FROM generate_series(1, %(meters)s) AS n;
INSERT INTO registry.meter_placement (meter_id, uscc, role, valid_from, legal_basis, source)
SELECT meter_id, (%(enterprises)s::text[])[1 + meter_id %% cardinality(%(enterprises)s::text[])], 'boundary', '2020-01-01',
       'administrative', 'synthetic'
FROM registry.meter;
INSERT INTO energy.holder (uscc, areas)
SELECT DISTINCT h.uscc, h.areas
FROM energy.holding((SELECT array_agg(meter_id) FROM registry.meter)) AS h
WHERE h.uscc IS NOT NULL;
DELETE FROM energy.dirty
