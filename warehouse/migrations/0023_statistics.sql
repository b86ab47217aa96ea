-- Statistics, bitemporal, and conversion factors by set.

CREATE SCHEMA stats;
COMMENT ON SCHEMA stats IS 'Statistics as they were published, and the factors by which energy becomes standard coal or carbon';

CREATE TABLE stats.observation (
  observation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  variable text NOT NULL CHECK (variable ~ '^[a-z][a-z0-9_]{0,63}$'),
  subject text NOT NULL CHECK (subject = coalesce(uscc, region)),
  region text REFERENCES registry.area,
  uscc text REFERENCES registry.enterprise,
  period_type text NOT NULL CHECK (period_type IN ('day', 'month', 'jan_feb', 'quarter', 'ytd', 'year')),
  period text NOT NULL,
  period_start date NOT NULL,
  period_end date NOT NULL CHECK (period_end > period_start),
  value numeric NOT NULL,
  unit text NOT NULL,
  scope text NOT NULL,
  price_basis text NOT NULL CHECK (price_basis IN ('none', 'current', 'constant_2015', 'constant_2020', 'constant_2025')),
  vintage text NOT NULL CHECK (vintage IN ('flash', 'annual', 'census', 'report')),
  published_at date NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(region, uscc) = 1),
  -- The bureau publishes January and February of 规上 industry together; an enterprise's own report may have a January.
  CHECK (NOT (period_type = 'month' AND extract(month FROM period_start) IN (1, 2)
              AND scope LIKE 'industry_above_scale%' AND legal_basis IN ('published', 'statistical'))),
  UNIQUE (variable, period, subject, scope, price_basis, vintage, published_at, recorded_at)
);
COMMENT ON TABLE stats.observation IS
  'One published or reported value; never changed. Of several for one key the latest published_at counts, then the latest recorded_at';
COMMENT ON COLUMN stats.observation.observation_id IS 'Number of ours';
COMMENT ON COLUMN stats.observation.variable IS 'What is measured: industrial_value_added, industrial_output, energy_total, energy_input …';
COMMENT ON COLUMN stats.observation.subject IS 'The region or the enterprise, whichever it is of';
COMMENT ON COLUMN stats.observation.region IS 'Area the value is of; null when it is of one enterprise';
COMMENT ON COLUMN stats.observation.uscc IS 'Enterprise the value is of; null when it is of a region';
COMMENT ON COLUMN stats.observation.period_type IS 'day, month, jan_feb (1–2月), quarter, ytd (since January), year';
COMMENT ON COLUMN stats.observation.period IS 'The period as text: 2025-03-14, 2025-03, 2025-01..02, 2025-Q1, 2025-01..09, 2025';
COMMENT ON COLUMN stats.observation.period_start IS 'First day of the period';
COMMENT ON COLUMN stats.observation.period_end IS 'First day after the period';
COMMENT ON COLUMN stats.observation.value IS 'The value, as printed';
COMMENT ON COLUMN stats.observation.unit IS 'Unit of the value: 10k_cny (万元), 100m_cny (亿元), tce, kWh, percent, count …';
COMMENT ON COLUMN stats.observation.scope IS
  'Population: industry_above_scale, industry, manufacturing, enterprise (its own figure), all …';
COMMENT ON COLUMN stats.observation.price_basis IS 'Prices of a money value; none when it is not money';
COMMENT ON COLUMN stats.observation.vintage IS 'flash (快报), annual (年报), census (普查), report (an enterprise''s own report)';
COMMENT ON COLUMN stats.observation.published_at IS 'Day of publication or report';
COMMENT ON COLUMN stats.observation.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN stats.observation.source IS 'Publication, table, address';
COMMENT ON COLUMN stats.observation.recorded_at IS 'When we came to know it';

CREATE FUNCTION stats.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%.% is never changed: add a row', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
COMMENT ON FUNCTION stats.refuse_change IS 'Trigger of tables that only grow';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON stats.observation
  FOR EACH ROW EXECUTE FUNCTION stats.refuse_change();

CREATE FUNCTION stats.observation_as_of(known_at timestamptz) RETURNS SETOF stats.observation
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    SELECT DISTINCT ON (variable, period, subject, scope, price_basis) *
    FROM stats.observation
    WHERE recorded_at <= known_at
    ORDER BY variable, period, subject, scope, price_basis, published_at DESC, recorded_at DESC, observation_id DESC
  $body$;
COMMENT ON FUNCTION stats.observation_as_of IS 'The value of every key that counted at that time, whatever its vintage';

CREATE TABLE stats.energy (
  energy text PRIMARY KEY CHECK (energy ~ '^[a-z][a-z0-9_]{0,39}$'),
  code text UNIQUE CHECK (code ~ '^[0-9]{2}$'),
  name_zh text NOT NULL,
  name_en text NOT NULL,
  unit text NOT NULL,
  working_medium boolean NOT NULL,
  carrier text UNIQUE
);
COMMENT ON TABLE stats.energy IS 'Kinds of energy and of energy-bearing working media';
COMMENT ON COLUMN stats.energy.energy IS 'Name of ours';
COMMENT ON COLUMN stats.energy.code IS 'Code of statistical table 205-1, when known';
COMMENT ON COLUMN stats.energy.name_zh IS 'Chinese name';
COMMENT ON COLUMN stats.energy.name_en IS 'English name';
COMMENT ON COLUMN stats.energy.unit IS 'Unit its amount is given in: kWh, m3, MJ, kg, t';
COMMENT ON COLUMN stats.energy.working_medium IS 'True for 耗能工质, which count only where a rule says so';
COMMENT ON COLUMN stats.energy.carrier IS 'The carrier of registry.meter it belongs to, when meters measure it';

CREATE TABLE stats.factor_set (
  factor_set text NOT NULL CHECK (factor_set ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  version int NOT NULL CHECK (version > 0),
  name_zh text NOT NULL,
  name_en text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (factor_set, version)
);
COMMENT ON TABLE stats.factor_set IS 'Sets of factors that belong together, by version; results name the set and version they used';
COMMENT ON COLUMN stats.factor_set.factor_set IS 'Name of the set';
COMMENT ON COLUMN stats.factor_set.version IS 'Counted from 1';
COMMENT ON COLUMN stats.factor_set.name_zh IS 'Chinese name';
COMMENT ON COLUMN stats.factor_set.name_en IS 'English name';
COMMENT ON COLUMN stats.factor_set.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN stats.factor_set.source IS 'Documents the set rests on';
COMMENT ON COLUMN stats.factor_set.recorded_at IS 'When we came to know it';

CREATE TABLE stats.factor (
  factor_set text NOT NULL,
  version int NOT NULL,
  energy text NOT NULL REFERENCES stats.energy,
  basis text NOT NULL CHECK (basis IN
    ('calorific', 'equivalent', 'mee_location', 'mee_market', 'shanghai_ets', 'physical')),
  level text NOT NULL CHECK (level IN ('measured', 'local', 'national', 'default')),
  region text NOT NULL,
  uscc text REFERENCES registry.enterprise,
  valid_from date NOT NULL,
  valid_to date,
  value numeric NOT NULL CHECK (value >= 0),
  unit text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (factor_set, version) REFERENCES stats.factor_set,
  UNIQUE NULLS NOT DISTINCT (factor_set, version, energy, basis, level, region, uscc, valid_from),
  CHECK (valid_from < valid_to),
  CHECK ((level = 'measured') = (uscc IS NOT NULL)),
  EXCLUDE USING gist (
    factor_set WITH =, version WITH =, energy WITH =, basis WITH =, level WITH =, region WITH =,
    coalesce(uscc, '') WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON stats.factor
  FOR EACH ROW EXECUTE FUNCTION stats.refuse_change();
COMMENT ON TABLE stats.factor IS
  'Factors of a set; never changed, a correction is a new version of the set. Resolved measured → local → national → default';
COMMENT ON COLUMN stats.factor.factor_set IS 'The set';
COMMENT ON COLUMN stats.factor.version IS 'Its version';
COMMENT ON COLUMN stats.factor.energy IS 'Kind of energy';
COMMENT ON COLUMN stats.factor.basis IS
  'Standard coal: calorific (当量值), equivalent (等价值). Carbon: mee_location, mee_market, shanghai_ets, physical';
COMMENT ON COLUMN stats.factor.level IS 'measured (by the enterprise), local (bureau), national (standard), default';
COMMENT ON COLUMN stats.factor.region IS 'CN, CN-E (East China grid) or an administrative code';
COMMENT ON COLUMN stats.factor.uscc IS 'The enterprise of a measured factor';
COMMENT ON COLUMN stats.factor.valid_from IS 'First day of use';
COMMENT ON COLUMN stats.factor.valid_to IS 'First day it is no longer used; null while it is';
COMMENT ON COLUMN stats.factor.value IS 'The factor';
COMMENT ON COLUMN stats.factor.unit IS 'Its unit: kgce/kWh, kgce/m3, kgce/MJ, kgce/kg, kgCO2/kWh …';
COMMENT ON COLUMN stats.factor.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN stats.factor.source IS 'Document it is taken from; says so when it was not checked against the issuing text';
COMMENT ON COLUMN stats.factor.recorded_at IS 'When we came to know it';
