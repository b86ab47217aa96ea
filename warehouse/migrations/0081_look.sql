-- What people see: views of everything that a role may be shown, each row only where access.scope() lets it.
--
-- Every view is a security barrier: a condition of the reader's that might tell what it sees is tried on rows that it
-- may see and on no others.

CREATE SCHEMA look;
COMMENT ON SCHEMA look IS
  'What people see (可见数据): each row only to whoever may see it. A park: enterprises of its areas that consent today; an enterprise: itself; the district: enterprises that consent to statistics';
GRANT USAGE ON SCHEMA look TO PUBLIC;

CREATE VIEW look.scope WITH (security_barrier) AS
  SELECT s.kind, s.areas, s.uscc, s.acting_user, access.today() AS today FROM access.scope() AS s;
COMMENT ON VIEW look.scope IS 'What this session may see (我的权限); no row: nothing';
COMMENT ON COLUMN look.scope.kind IS 'enterprise, park, district, statistics or auditor';
COMMENT ON COLUMN look.scope.areas IS 'Of a park: its areas';
COMMENT ON COLUMN look.scope.uscc IS 'Of an enterprise: its code';
COMMENT ON COLUMN look.scope.acting_user IS 'The role, or the person the API acts for';
COMMENT ON COLUMN look.scope.today IS 'The day that consents are judged by';

-- Registry ------------------------------------------------------------------------------------------------------------

CREATE VIEW look.area WITH (security_barrier) AS
  WITH RECURSIVE own AS (
    SELECT unnest(s.areas) AS area FROM access.scope() AS s WHERE s.kind = 'park'
    UNION
    SELECT a.area FROM access.scope() AS s
    JOIN registry.enterprise_area AS a ON a.uscc = s.uscc AND daterange(a.valid_from, a.valid_to) @> access.today()
    WHERE s.kind = 'enterprise'
    UNION
    SELECT t.parent FROM own
    JOIN registry.area_attribute AS t ON t.area = own.area AND daterange(t.valid_from, t.valid_to) @> access.today()
    WHERE t.parent IS NOT NULL
  )
  SELECT a.area, a.kind, t.name_zh, t.name_en, t.parent, t.tier, t.operator, t.stars
  FROM registry.area AS a
  LEFT JOIN registry.area_attribute AS t
    ON t.area = a.area AND daterange(t.valid_from, t.valid_to) @> access.today()
  WHERE EXISTS (SELECT FROM access.scope() AS s WHERE s.kind IN ('district', 'statistics', 'auditor'))
     OR a.area IN (SELECT own.area FROM own);
COMMENT ON VIEW look.area IS 'Areas as they are today: to a park and an enterprise their own and those around them';
CALL access.describe('look.area', 'registry.area', 'registry.area_attribute');

CREATE VIEW look.enterprise WITH (security_barrier) AS
  SELECT
    e.uscc, t.name, t.sector, t.size, t.registered_region, t.statistical_region,
    ARRAY(
      SELECT a.area FROM registry.enterprise_area AS a
      WHERE a.uscc = e.uscc AND daterange(a.valid_from, a.valid_to) @> access.today()
        AND CASE s.kind WHEN 'park' THEN a.area = ANY (s.areas) WHEN 'statistics' THEN true
                        ELSE a.legal_basis <> 'statistical' END
      ORDER BY a.area
    ) AS areas,
    t.legal_basis
  FROM access.scope() AS s
  CROSS JOIN (
    SELECT v.uscc FROM access.visible_enterprise() AS v
    UNION
    SELECT a.uscc
    FROM access.scope() AS w
    JOIN registry.enterprise_attribute AS a
      ON (w.kind = 'statistics' OR w.kind = 'district' AND a.legal_basis <> 'statistical')
        AND daterange(a.valid_from, a.valid_to) @> access.today()
  ) AS e
  LEFT JOIN registry.enterprise_attribute AS t
    ON t.uscc = e.uscc AND daterange(t.valid_from, t.valid_to) @> access.today()
      AND (s.kind = 'statistics' OR t.legal_basis <> 'statistical');
COMMENT ON VIEW look.enterprise IS
  'Enterprises as they are today: to a park those of its areas that consent, to the district those that a register or their consent shows';
COMMENT ON COLUMN look.enterprise.areas IS 'Areas it operates in; to a park, those of the park''s only';
CALL access.describe('look.enterprise', 'registry.enterprise', 'registry.enterprise_attribute');

CREATE VIEW look.meter WITH (security_barrier) AS
  SELECT
    m.meter_id, m.serial, m.carrier, m.unit, p.uscc, t.name AS enterprise, p.role, p.name AS meter,
    parent.serial AS parent, p.valid_from, nullif(p.valid_to, 'infinity') AS valid_to
  FROM access.visible_enterprise() AS v
  JOIN access.placed AS p ON p.uscc = v.uscc
    AND v.days && datemultirange(daterange(p.from_day, p.last_day, '[]'))
  JOIN registry.meter AS m ON m.meter_id = p.meter_id
  LEFT JOIN registry.meter AS parent ON parent.meter_id = p.parent_id
    AND EXISTS (SELECT FROM access.placed AS u WHERE u.meter_id = p.parent_id AND u.uscc = p.uscc)
  LEFT JOIN access.enterprise_today AS t ON t.uscc = p.uscc;
COMMENT ON VIEW look.meter IS 'Meters and where they stood when';
COMMENT ON COLUMN look.meter.enterprise IS 'Its name today';
COMMENT ON COLUMN look.meter.meter IS 'What the enterprise calls it';
COMMENT ON COLUMN look.meter.parent IS 'Serial number of the meter above it, where that is the enterprise''s too';
CALL access.describe('look.meter', 'registry.meter', 'registry.meter_placement');

-- Energy --------------------------------------------------------------------------------------------------------------

CREATE VIEW look.quarter WITH (security_barrier) AS
  SELECT
    q.meter_id, m.serial, p.name AS meter, m.carrier, m.unit, p.role, v.uscc, v.enterprise,
    q.feed_in, q.start, q.energy, q.quality, q.reason, q.computed_at
  FROM access.visible_holder() AS v
  JOIN energy.quarter AS q ON q.holder_id = v.holder_id
    AND v.days @> (q.start AT TIME ZONE 'Asia/Shanghai')::date
  JOIN registry.meter AS m ON m.meter_id = q.meter_id
  LEFT JOIN access.placed AS p
    ON p.meter_id = q.meter_id AND p.uscc = v.uscc AND p.valid_from <= q.start AND q.start < p.valid_to;
COMMENT ON VIEW look.quarter IS 'Energy of every quarter-hour (15 分钟电量)';

CREATE VIEW look.hour WITH (security_barrier) AS
  SELECT
    q.meter_id, m.serial, p.name AS meter, m.carrier, m.unit, p.role, v.uscc, v.enterprise,
    q.feed_in, q.start, q.energy, q.measured, q.estimated, q.unknown, q.computed_at
  FROM access.visible_holder() AS v
  JOIN energy.hour AS q ON q.holder_id = v.holder_id
    AND v.days @> (q.start AT TIME ZONE 'Asia/Shanghai')::date
  JOIN registry.meter AS m ON m.meter_id = q.meter_id
  LEFT JOIN access.placed AS p
    ON p.meter_id = q.meter_id AND p.uscc = v.uscc
      AND p.valid_from < q.start + interval '1 hour' AND q.start < p.valid_to
      AND q.start + interval '1 hour' <= p.next_from;
COMMENT ON VIEW look.hour IS 'Energy of every hour (小时能耗)';

CREATE VIEW look.day WITH (security_barrier) AS
  SELECT
    d.meter_id, m.serial, p.name AS meter, m.carrier, m.unit, p.role, v.uscc, v.enterprise,
    d.feed_in, d.day, d.energy, d.measured, d.estimated, d.unknown, d.computed_at
  FROM access.visible_holder() AS v
  JOIN energy.day AS d ON d.holder_id = v.holder_id AND v.days @> d.day
  JOIN registry.meter AS m ON m.meter_id = d.meter_id
  LEFT JOIN access.placed AS p
    ON p.meter_id = d.meter_id AND p.uscc = v.uscc
      AND p.from_day <= d.day AND d.day <= p.last_day AND d.day < p.next_day;
COMMENT ON VIEW look.day IS 'Energy of every day (日能耗)';

CREATE VIEW look.month WITH (security_barrier) AS
  SELECT
    d.meter_id, m.serial, p.name AS meter, m.carrier, m.unit, p.role, v.uscc, v.enterprise,
    d.feed_in, d.month, d.energy, d.measured, d.estimated, d.unknown, d.computed_at
  FROM access.visible_holder() AS v
  JOIN energy.month AS d ON d.holder_id = v.holder_id
    AND v.days @> daterange(d.month, greatest(least((d.month + interval '1 month')::date, access.today() + 1), d.month + 1))
  JOIN registry.meter AS m ON m.meter_id = d.meter_id
  LEFT JOIN access.placed AS p
    ON p.meter_id = d.meter_id AND p.uscc = v.uscc
      AND p.from_day < (d.month + interval '1 month')::date AND d.month <= p.last_day
      AND (d.month + interval '1 month')::date <= p.next_day;
COMMENT ON VIEW look.month IS
  'Energy of every month (月能耗), where a consent covers the whole month so far; of others look.day has the days that it covers';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['quarter', 'hour', 'day', 'month'] LOOP
    EXECUTE format('COMMENT ON COLUMN look.%I.enterprise IS %L', name, 'Its name today');
    EXECUTE format('COMMENT ON COLUMN look.%I.meter IS %L', name, 'What the enterprise calls the meter');
    EXECUTE format('COMMENT ON COLUMN look.%I.uscc IS %L', name, 'The enterprise that had the meter');
    CALL access.describe(
      format('look.%I', name)::regclass, format('energy.%I', name)::regclass, 'registry.meter', 'registry.meter_placement');
  END LOOP;
END $$;

CREATE VIEW look.area_month WITH (security_barrier) AS
  SELECT
    a.area, m.carrier, m.unit, d.month,
    sum(CASE WHEN d.feed_in THEN -d.energy ELSE d.energy END) AS energy,
    sum(d.measured)::int8 AS measured, sum(d.estimated)::int8 AS estimated, sum(d.unknown)::int8 AS unknown,
    count(DISTINCT d.meter_id) AS meters, count(DISTINCT v.uscc) AS enterprises
  FROM access.visible_holder() AS v
  JOIN energy.month AS d ON d.holder_id = v.holder_id
    AND v.days @> daterange(d.month, greatest(least((d.month + interval '1 month')::date, access.today() + 1), d.month + 1))
  JOIN access.placed AS p
    ON p.meter_id = d.meter_id AND p.uscc = v.uscc AND p.role = 'boundary'
      AND p.from_day < (d.month + interval '1 month')::date AND d.month <= p.last_day
      AND (d.month + interval '1 month')::date <= p.next_day
  JOIN registry.meter AS m ON m.meter_id = d.meter_id
  JOIN energy.holder AS h ON h.holder_id = d.holder_id
  CROSS JOIN LATERAL unnest(h.areas) AS a (area)
  WHERE EXISTS (SELECT FROM access.scope() AS s WHERE s.kind <> 'park' AND s.kind <> 'enterprise' OR a.area = ANY (s.areas))
  GROUP BY a.area, m.carrier, m.unit, d.month;
COMMENT ON VIEW look.area_month IS
  'Energy of areas by month, from the boundary meters of the enterprises that this session may see: a figure of these, never of the area; what is fed in is taken off';
COMMENT ON COLUMN look.area_month.area IS 'The area; an enterprise in two areas counts in both';
COMMENT ON COLUMN look.area_month.carrier IS 'Carrier';
COMMENT ON COLUMN look.area_month.unit IS 'Unit of the energy';
COMMENT ON COLUMN look.area_month.month IS 'First day of the month';
COMMENT ON COLUMN look.area_month.energy IS 'Sum of what is known; null when nothing is';
COMMENT ON COLUMN look.area_month.measured IS 'Quarter-hours of meters that were measured';
COMMENT ON COLUMN look.area_month.estimated IS 'Quarter-hours of meters that were estimated';
COMMENT ON COLUMN look.area_month.unknown IS 'Quarter-hours of meters that are unknown and in no sum';
COMMENT ON COLUMN look.area_month.meters IS 'Boundary meters';
COMMENT ON COLUMN look.area_month.enterprises IS 'Enterprises';

-- Readings, gateways --------------------------------------------------------------------------------------------------

CREATE VIEW access.visible_binding AS
  SELECT b.gateway, b.uscc, b.site, b.valid_from, coalesce(b.valid_to, 'infinity') AS valid_to, v.days
  FROM access.visible_enterprise() AS v
  JOIN registry.gateway_binding AS b ON b.uscc = v.uscc;
COMMENT ON VIEW access.visible_binding IS 'Gateways whose readings this session may see, and of which times';
COMMENT ON COLUMN access.visible_binding.valid_to IS 'Until when, exclusive; infinity while it holds';
COMMENT ON COLUMN access.visible_binding.days IS 'Of these, the days that may be seen';
CALL access.describe('access.visible_binding', 'registry.gateway_binding');

CREATE VIEW look.gateway WITH (security_barrier) AS
  SELECT b.gateway, b.uscc, b.site, b.valid_from, s.online, s.agent, s.at, s.received_at, s.clock_status
  FROM access.visible_binding AS b
  LEFT JOIN ingest.gateway_state AS s ON s.gateway = b.gateway AND s.received_at >= b.valid_from
  WHERE b.valid_from <= statement_timestamp() AND statement_timestamp() < b.valid_to AND b.days @> access.today();
COMMENT ON VIEW look.gateway IS 'Gateways that stand at an enterprise now, and what they said last';
CALL access.describe('look.gateway', 'ingest.gateway_state', 'registry.gateway_binding');

CREATE VIEW look.series WITH (security_barrier) AS
  SELECT DISTINCT s.series_id, s.gateway, s.device, s.quantity, s.unit, s.kind, s.carrier, s.meter, s.decimals
  FROM access.visible_binding AS b
  JOIN ingest.series AS s ON s.gateway = b.gateway
  WHERE EXISTS (
    SELECT FROM ingest.birth_series AS n
    JOIN ingest.birth_said AS w ON w.birth_id = n.birth_id AND w.gateway = b.gateway
    WHERE n.series_id = s.series_id AND w.said_at < b.valid_to);
COMMENT ON VIEW look.series IS 'Series of readings of the gateways, by device and quantity';
CALL access.describe('look.series', 'ingest.series');

CREATE VIEW look.completeness WITH (security_barrier) AS
  SELECT
    b.gateway, b.uscc, c.day, s.series_id, s.device, s.quantity, c.expected, c.received, c.unexpected, c.bad, c.late,
    c.rejected, c.replaced, c.counted_at
  FROM access.visible_binding AS b
  JOIN ingest.series AS s ON s.gateway = b.gateway
  JOIN ingest.completeness AS c ON c.series_id = s.series_id AND b.days @> c.day
    AND (b.valid_from AT TIME ZONE 'Asia/Shanghai')::date <= c.day AND c.day::timestamp AT TIME ZONE 'Asia/Shanghai' < b.valid_to
    -- The day on which a gateway moved is the new enterprise's and nobody else's.
    AND (b.valid_to = 'infinity' OR (c.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' <= b.valid_to);
COMMENT ON VIEW look.completeness IS 'What was expected of each series on each day, and what came (数据完整率)';
CALL access.describe('look.completeness', 'ingest.completeness', 'ingest.series', 'registry.gateway_binding');

CREATE VIEW look.hole WITH (security_barrier) AS
  SELECT
    b.uscc, h.gateway, h.epoch, h.first, h.last, h.messages, h.readings_about, h.state, h.seen_at, h.age, h.lost_at,
    h.degraded
  FROM access.visible_binding AS b
  JOIN ingest.hole_status AS h ON h.gateway = b.gateway AND b.valid_from <= h.seen_at AND h.seen_at < b.valid_to
    AND b.days @> (h.seen_at AT TIME ZONE 'Asia/Shanghai')::date;
COMMENT ON VIEW look.hole IS 'Messages of the gateways that are missing';
CALL access.describe('look.hole', 'ingest.hole_status', 'registry.gateway_binding');
-- Arithmetic, which the view's reader runs; without a right on the schema nobody can name it otherwise.
GRANT EXECUTE ON FUNCTION ingest.amount(int8multirange) TO PUBLIC;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['reading_gauge', 'reading_register', 'reading_state'] LOOP
    EXECUTE format($view$
      CREATE VIEW look.%1$I WITH (security_barrier) AS
        SELECT b.uscc, b.gateway, s.device, s.quantity, s.unit, s.decimals, r.series_id, r.t, r.v, r.q
        FROM access.visible_binding AS b
        JOIN ingest.series AS s ON s.gateway = b.gateway
        JOIN ingest.%1$I AS r ON r.series_id = s.series_id AND b.valid_from <= r.t AND r.t < b.valid_to
          AND b.days @> (r.t AT TIME ZONE 'Asia/Shanghai')::date
    $view$, name);
    EXECUTE format('COMMENT ON VIEW look.%I IS %L', name,
      format('Readings as they came (ingest.%s) of the times at which the gateway stood at the enterprise', name));
    CALL access.describe(
      format('look.%I', name)::regclass, format('ingest.%I', name)::regclass, 'ingest.series', 'registry.gateway_binding');
  END LOOP;
END $$;

-- Indicators and statistics -------------------------------------------------------------------------------------------

CREATE VIEW look.plan WITH (security_barrier) AS
  SELECT p.* FROM indicator.plan AS p
  WHERE EXISTS (SELECT FROM access.scope());
COMMENT ON VIEW look.plan IS 'Plans whose targets are followed';
CALL access.describe('look.plan', 'indicator.plan');

CREATE VIEW look.indicator WITH (security_barrier) AS
  SELECT c.* FROM indicator.catalogue AS c
  WHERE EXISTS (SELECT FROM access.scope());
COMMENT ON VIEW look.indicator IS 'The catalogue of indicators';
CALL access.describe('look.indicator', 'indicator.catalogue');

CREATE VIEW look.target WITH (security_barrier) AS
  SELECT t.* FROM indicator.target AS t
  WHERE EXISTS (SELECT FROM access.scope());
COMMENT ON VIEW look.target IS 'Targets by version';
CALL access.describe('look.target', 'indicator.target');

CREATE VIEW look.result WITH (security_barrier) AS
  SELECT r.*
  FROM access.scope() AS s
  JOIN indicator.result AS r ON s.kind IN ('district', 'statistics', 'auditor')
    OR (s.kind = 'park' AND r.scope = ANY (s.areas) AND r.legal_basis <> 'statistical');
COMMENT ON VIEW look.result IS
  'Results, every version: to a park those of its areas that rest on no statistical row';
CALL access.describe('look.result', 'indicator.result');

CREATE VIEW look.current_result WITH (security_barrier) AS
  SELECT DISTINCT ON (r.indicator, r.scope, r.period_type, r.period) r.*
  FROM look.result AS r
  ORDER BY r.indicator, r.scope, r.period_type, r.period, r.as_of DESC, r.version DESC;
COMMENT ON VIEW look.current_result IS 'The current version of every result';
CALL access.describe('look.current_result', 'indicator.result');

CREATE VIEW look.evidence WITH (security_barrier) AS
  SELECT e.evidence_digest, e.member, e.counted, e.reason, e.since, e.amount, e.weight, e.detail, e.source, e.legal_basis
  FROM access.scope() AS s
  JOIN indicator.evidence AS e ON CASE
    WHEN s.kind = 'statistics' THEN true
    WHEN e.legal_basis = 'statistical' THEN false
    WHEN s.kind = 'auditor' THEN true
    WHEN s.kind = 'district' THEN
      e.legal_basis <> 'consented' OR e.member IN (SELECT v.uscc FROM access.visible_enterprise() AS v)
    ELSE e.member IN (SELECT v.uscc FROM access.visible_enterprise() AS v)
  END;
COMMENT ON VIEW look.evidence IS
  'Who is counted and why: statistical members to the statistics role alone, consented ones while they consent, to a park its own';
CALL access.describe('look.evidence', 'indicator.evidence');

CREATE VIEW look.observation WITH (security_barrier) AS
  SELECT o.*
  FROM access.scope() AS s
  JOIN stats.observation AS o ON CASE
    WHEN s.kind = 'statistics' THEN true
    WHEN o.uscc IS NOT NULL AND o.legal_basis = 'statistical' THEN false
    WHEN s.kind = 'auditor' THEN true
    WHEN o.uscc IS NOT NULL AND o.legal_basis = 'consented' THEN
      o.uscc IN (SELECT v.uscc FROM access.visible_enterprise() AS v)
    WHEN s.kind = 'district' THEN true
    WHEN s.kind = 'enterprise' THEN o.uscc = s.uscc
    ELSE o.region = ANY (s.areas) AND o.legal_basis <> 'statistical'
  END;
COMMENT ON VIEW look.observation IS
  'Statistics: returns of single enterprises (legal basis statistical) to the statistics role alone';
CALL access.describe('look.observation', 'stats.observation');

GRANT SELECT ON ALL TABLES IN SCHEMA look TO PUBLIC;
