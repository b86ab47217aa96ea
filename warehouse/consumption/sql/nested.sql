-- Boundary meters of an enterprise that stand below another of its boundary meters: the same energy would count twice.
WITH RECURSIVE placed AS (
  SELECT p.meter_id, p.role, p.uscc, p.parent_id, m.carrier, m.serial, tstzrange(p.valid_from, p.valid_to) AS valid
  FROM registry.meter_placement_as_of(%(as_of)s) AS p
  JOIN registry.meter AS m USING (meter_id)
  WHERE tstzrange(p.valid_from, p.valid_to) && tstzrange(%(from_t)s, %(to_t)s)
),
above AS (
  SELECT serial, carrier, parent_id, valid * tstzrange(%(from_t)s, %(to_t)s) AS valid, 1 AS steps
  FROM placed
  WHERE uscc = %(uscc)s AND role = 'boundary' AND parent_id IS NOT NULL
  UNION ALL
  SELECT a.serial, a.carrier, p.parent_id, a.valid * p.valid, a.steps + 1
  FROM above AS a
  JOIN placed AS p ON p.meter_id = a.parent_id AND p.valid && a.valid
  WHERE p.parent_id IS NOT NULL AND a.steps < 32
)
SELECT DISTINCT a.serial, p.serial
FROM above AS a
JOIN placed AS p ON p.meter_id = a.parent_id AND p.valid && a.valid
WHERE p.uscc = %(uscc)s AND p.role = 'boundary' AND p.carrier = a.carrier
ORDER BY 1, 2
