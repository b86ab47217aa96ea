-- Tariff periods, demand, money, calendars and events for people; and registers for the auditor.

CREATE VIEW look.tariff_day WITH (security_barrier) AS
  SELECT
    d.meter_id, m.serial, m.unit, v.uscc, v.enterprise, d.feed_in, d.day, d.month, d.contract, d.tariff, d.period,
    d.reason, d.energy, d.measured, d.estimated, d.unknown, d.computed_at
  FROM access.visible_holder() AS v
  JOIN energy.tariff_day AS d ON d.holder_id = v.holder_id AND v.days @> d.day
  JOIN registry.meter AS m ON m.meter_id = d.meter_id;
COMMENT ON VIEW look.tariff_day IS 'Energy of a day by period of the tariff (峰平谷电量)';
COMMENT ON COLUMN look.tariff_day.uscc IS 'The enterprise that had the meter';
COMMENT ON COLUMN look.tariff_day.enterprise IS 'Its name today';
CALL access.describe('look.tariff_day', 'energy.tariff_day', 'registry.meter');

CREATE VIEW look.demand_day WITH (security_barrier) AS
  SELECT
    d.meter_id, m.serial, v.uscc, v.enterprise, d.day, d.month, d.contract, d.contracted_kw, d.kw, d.at, d.estimated,
    d.known, d.unknown, d.computed_at
  FROM access.visible_holder() AS v
  JOIN energy.demand_day AS d ON d.holder_id = v.holder_id AND v.days @> d.day
  JOIN registry.meter AS m ON m.meter_id = d.meter_id;
COMMENT ON VIEW look.demand_day IS 'Highest demand of a day through a meter (最大需量)';
COMMENT ON COLUMN look.demand_day.uscc IS 'The enterprise that had the meter';
COMMENT ON COLUMN look.demand_day.enterprise IS 'Its name today';
CALL access.describe('look.demand_day', 'energy.demand_day', 'registry.meter');

-- Money is the enterprise's own: no consent of registry.consent speaks of it.

CREATE VIEW access.visible_contract AS
  SELECT t.contract, t.valid_from, coalesce(t.valid_to, 'infinity') AS valid_to,
    bool_and(s.kind = 'auditor' OR o.uscc = s.uscc) AS own
  FROM access.scope() AS s
  JOIN registry.supply_term AS t ON s.kind IN ('enterprise', 'auditor')
  CROSS JOIN LATERAL (
    SELECT t.uscc WHERE t.uscc IS NOT NULL
    UNION ALL
    SELECT p.uscc FROM registry.meter_placement AS p
    WHERE p.meter_id = t.meter_id
      AND tstzrange(p.valid_from, p.valid_to) && tstzrange(t.valid_from, t.valid_to)
  ) AS o
  GROUP BY t.contract, t.valid_from, t.valid_to;
COMMENT ON VIEW access.visible_contract IS
  'Terms of supply contracts whose money an enterprise may ask for: those under which the meters were its own and nobody else''s';
COMMENT ON COLUMN access.visible_contract.contract IS 'The contract';
COMMENT ON COLUMN access.visible_contract.valid_from IS 'From when';
COMMENT ON COLUMN access.visible_contract.valid_to IS 'Until when, exclusive; infinity while it holds';
COMMENT ON COLUMN access.visible_contract.own IS 'Whether all of the term is this session''s to see';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['contract_demand_month', 'cost_month', 'cost_item'] LOOP
    EXECUTE format($view$
      CREATE VIEW look.%1$I WITH (security_barrier) AS
        SELECT d.*
        FROM (
          SELECT c.contract FROM access.visible_contract AS c GROUP BY c.contract
        ) AS mine
        JOIN energy.%1$I AS d ON d.contract = mine.contract
        WHERE EXISTS (SELECT FROM access.scope())
          AND NOT EXISTS (
            SELECT FROM access.visible_contract AS c
            WHERE c.contract = d.contract AND NOT c.own
              AND c.valid_from < (d.month + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai'
              AND d.month::timestamp AT TIME ZONE 'Asia/Shanghai' < c.valid_to)
          AND EXISTS (
            SELECT FROM access.visible_contract AS c
            WHERE c.contract = d.contract AND c.own
              AND c.valid_from < (d.month + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai'
              AND d.month::timestamp AT TIME ZONE 'Asia/Shanghai' < c.valid_to)
    $view$, name);
    EXECUTE format('COMMENT ON VIEW look.%I IS %L', name,
      format('As energy.%s, to the enterprise whose contract it was the whole month (需量与电费，仅本企业可见)', name));
    CALL access.describe(format('look.%I', name)::regclass, format('energy.%I', name)::regclass);
  END LOOP;
END $$;

CREATE VIEW look.supply_term WITH (security_barrier) AS
  SELECT t.*
  FROM access.visible_contract AS c
  JOIN registry.supply_term AS t ON t.contract = c.contract AND t.valid_from = c.valid_from
  WHERE c.own AND EXISTS (SELECT FROM access.scope());
COMMENT ON VIEW look.supply_term IS 'Terms of the enterprise''s own supply contracts (供用能合同)';
CALL access.describe('look.supply_term', 'registry.supply_term');

CREATE VIEW look.supply_price WITH (security_barrier) AS
  SELECT p.*
  FROM registry.supply_price AS p
  WHERE EXISTS (SELECT FROM access.scope())
    AND EXISTS (
      SELECT FROM access.visible_contract AS c
      WHERE c.contract = p.contract AND c.own
        AND tstzrange(c.valid_from, c.valid_to) && tstzrange(p.valid_from, p.valid_to))
    AND NOT EXISTS (
      SELECT FROM access.visible_contract AS c
      WHERE c.contract = p.contract AND NOT c.own
        AND tstzrange(c.valid_from, c.valid_to) && tstzrange(p.valid_from, p.valid_to));
COMMENT ON VIEW look.supply_price IS 'Prices of the enterprise''s own supply contracts (电价、气价)';
CALL access.describe('look.supply_price', 'registry.supply_price');

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['shift', 'planned_stop'] LOOP
    EXECUTE format($view$
      CREATE VIEW look.%1$I WITH (security_barrier) AS
        SELECT t.*
        FROM access.visible_enterprise() AS v
        JOIN registry.%1$I AS t ON t.uscc = v.uscc
          AND v.days && datemultirange(daterange(t.valid_from::date, t.valid_to::date + 1))
    $view$, name);
    EXECUTE format('COMMENT ON VIEW look.%I IS %L', name, format('registry.%s of the enterprises', name));
    CALL access.describe(format('look.%I', name)::regclass, format('registry.%I', name)::regclass);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['tariff_attribute', 'tariff_period'] LOOP
    EXECUTE format($view$
      CREATE VIEW look.%1$I WITH (security_barrier) AS
        SELECT t.* FROM registry.%1$I AS t WHERE EXISTS (SELECT FROM access.scope())
    $view$, name);
    EXECUTE format('COMMENT ON VIEW look.%I IS %L', name, format('registry.%s, to everybody', name));
    CALL access.describe(format('look.%I', name)::regclass, format('registry.%I', name)::regclass);
  END LOOP;
END $$;

CREATE VIEW look.event WITH (security_barrier) AS
  SELECT b.uscc, e.gateway, e.kind, e.at, e.device, e.text, e.received_at
  FROM access.visible_binding AS b
  JOIN ingest.event AS e ON e.gateway = b.gateway AND b.valid_from <= e.at AND e.at < b.valid_to
    AND b.days @> (e.at AT TIME ZONE 'Asia/Shanghai')::date;
COMMENT ON VIEW look.event IS 'What happened to the gateways';
CALL access.describe('look.event', 'ingest.event', 'registry.gateway_binding');

GRANT SELECT ON ALL TABLES IN SCHEMA look TO PUBLIC;

-- The auditor ---------------------------------------------------------------------------------------------------------

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS
  'Whole tables for the auditor (审计), who changes nothing; without the rows of statistical returns of single enterprises';
GRANT USAGE ON SCHEMA audit TO PUBLIC;

CREATE PROCEDURE access.show_auditor(shown regclass) LANGUAGE plpgsql AS $$
DECLARE
  source text;
  name text;
  condition text;
BEGIN
  SELECT format('%I.%I', n.nspname, c.relname), n.nspname || '_' || c.relname INTO source, name
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = shown;
  SELECT string_agg(format('AND t.%I::text <> ''statistical''', attname), ' ') INTO condition
  FROM pg_attribute WHERE attrelid = shown AND attname = 'legal_basis' AND NOT attisdropped;
  IF source = 'registry.superseded' THEN
    condition := 'AND t.row ->> ''legal_basis'' IS DISTINCT FROM ''statistical''';
  END IF;
  EXECUTE format(
    'CREATE VIEW audit.%I WITH (security_barrier) AS SELECT t.* FROM %s AS t
       WHERE EXISTS (SELECT FROM access.scope() AS s WHERE s.kind = ''auditor'') %s', name, source, condition);
  EXECUTE format('COMMENT ON VIEW audit.%I IS %L', name, source || ', for the auditor');
  EXECUTE format('GRANT SELECT ON audit.%I TO PUBLIC', name);
  CALL access.describe(format('audit.%I', name)::regclass, shown);
END $$;
COMMENT ON PROCEDURE access.show_auditor IS
  'For migrations: shows a table to auditors as audit.<schema>_<table>, without rows whose legal basis is statistical';

DO $$
DECLARE
  shown regclass;
BEGIN
  FOR shown IN
    SELECT c.oid FROM pg_class AS c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND (
      c.relnamespace = 'registry'::regnamespace
      OR c.oid IN ('stats.factor'::regclass, 'stats.factor_set'::regclass, 'stats.energy_report'::regclass, 'stats.energy'::regclass,
                   'stats.factor_range'::regclass, 'stats.variable'::regclass, 'indicator.evidence_set'::regclass,
                   'ingest.batch'::regclass, 'ingest.commit_run'::regclass, 'ingest.ledger'::regclass,
                   'ingest.hole'::regclass, 'ingest.dropped'::regclass, 'ingest.exception'::regclass,
                   'ingest.offset_loss'::regclass, 'ingest.dead_letter'::regclass, 'ingest.reading_rejected'::regclass,
                   'ingest.reading_replaced'::regclass, 'ingest.clock_fault'::regclass,
                   'ingest.clock_repair'::regclass, 'ingest.clock_repaired'::regclass, 'energy.check_run'::regclass,
                   'energy.holder'::regclass, 'access.grantee'::regclass, 'access.disclosure_rule'::regclass))
    ORDER BY c.oid::regclass::text
  LOOP
    CALL access.show_auditor(shown);
  END LOOP;
END $$;
