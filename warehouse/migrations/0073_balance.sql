-- What a meter says against the meters below it, by day, with the parents of that day.

CREATE INDEX meter_placement_parent ON registry.meter_placement (parent_id) WHERE parent_id IS NOT NULL;
COMMENT ON INDEX registry.meter_placement_parent IS 'Finds the meters below a meter';

CREATE VIEW energy.balance_day AS
SELECT
  p.meter_id AS parent_id,
  p.day,
  p.energy,
  c.generated,
  c.used,
  c.children,
  c.unknown,
  CASE WHEN why.reason IS NULL THEN p.energy + c.generated - c.used END AS difference,
  CASE WHEN why.reason IS NULL THEN abs(p.energy + c.generated - c.used) / nullif(p.energy + c.generated, 0) END AS ratio,
  why.reason
FROM (
  SELECT
    d.meter_id,
    d.day,
    CASE WHEN sum(d.measured + d.estimated) FILTER (WHERE NOT d.feed_in) = 96
           AND coalesce(sum(d.measured + d.estimated) FILTER (WHERE d.feed_in), 96) = 96
      THEN sum(CASE WHEN d.feed_in THEN -d.energy ELSE d.energy END) END AS energy
  FROM energy.day AS d
  WHERE EXISTS (SELECT FROM registry.meter_placement AS below WHERE below.parent_id = d.meter_id)
  GROUP BY d.meter_id, d.day
) AS p
JOIN registry.meter AS m ON m.meter_id = p.meter_id
CROSS JOIN LATERAL (
  SELECT
    count(*) AS children,
    count(*) FILTER (WHERE n.energy IS NULL) AS unknown,
    count(*) FILTER (WHERE NOT n.whole) AS partial,
    coalesce(sum(n.energy) FILTER (WHERE below.role <> 'generation'), 0) AS used,
    coalesce(sum(n.energy) FILTER (WHERE below.role = 'generation'), 0) AS generated
  FROM registry.meter_placement AS below
  JOIN registry.meter AS of ON of.meter_id = below.meter_id AND of.carrier = m.carrier
  CROSS JOIN LATERAL (
    SELECT
      below.valid_from <= p.day::timestamp AT TIME ZONE 'Asia/Shanghai'
        AND (below.valid_to IS NULL OR below.valid_to >= (p.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') AS whole,
      CASE WHEN sum(d.measured + d.estimated) FILTER (WHERE NOT d.feed_in) = 96
             AND coalesce(sum(d.measured + d.estimated) FILTER (WHERE d.feed_in), 96) = 96
        THEN sum(CASE WHEN d.feed_in THEN -d.energy ELSE d.energy END) END AS energy
    FROM energy.day AS d
    WHERE d.meter_id = below.meter_id AND d.day = p.day
  ) AS n
  WHERE below.parent_id = p.meter_id
    AND below.valid_from < (p.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND (below.valid_to IS NULL OR below.valid_to > p.day::timestamp AT TIME ZONE 'Asia/Shanghai')
) AS c
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN p.energy IS NULL THEN 'parent_unknown'
    WHEN c.partial > 0 THEN 'placed_within_day'
    WHEN c.unknown > 0 THEN 'child_unknown'
    WHEN p.energy + c.generated < 0 THEN 'supply_negative'
  END AS reason
) AS why
WHERE c.children > 0;
COMMENT ON VIEW energy.balance_day IS
  'A meter against the meters directly below it (of the same carrier) on a day of Asia/Shanghai: |energy + generated − used| / (energy + generated). Nothing is said of a day on which anything is unknown';
COMMENT ON COLUMN energy.balance_day.parent_id IS 'The meter above';
COMMENT ON COLUMN energy.balance_day.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN energy.balance_day.energy IS 'What it drew, less what it fed back; null when a quarter-hour is unknown';
COMMENT ON COLUMN energy.balance_day.generated IS 'What generation meters below it gave, of those that are known';
COMMENT ON COLUMN energy.balance_day.used IS 'What the other meters below it drew, less what they fed back, of those that are known';
COMMENT ON COLUMN energy.balance_day.children IS 'Meters below it on that day';
COMMENT ON COLUMN energy.balance_day.unknown IS 'Of these, those with an unknown quarter-hour';
COMMENT ON COLUMN energy.balance_day.difference IS 'energy + generated − used; null when anything is unknown';
COMMENT ON COLUMN energy.balance_day.ratio IS '|difference| / (energy + generated); null when unknown, or when there was nothing to compare with';
COMMENT ON COLUMN energy.balance_day.reason IS
  'Why nothing is said: parent_unknown, child_unknown, placed_within_day (a meter came or went within the day), supply_negative; else null';
