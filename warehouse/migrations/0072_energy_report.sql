-- Standard coal: one rule of resolving factors, what enterprises report of their energy, and green certificates.

CREATE TABLE stats.factor_range (
  factor_set text NOT NULL,
  version int NOT NULL,
  energy text NOT NULL REFERENCES stats.energy,
  basis text NOT NULL,
  low numeric NOT NULL CHECK (low >= 0),
  high numeric NOT NULL CHECK (high >= low),
  unit text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (factor_set, version, energy, basis),
  FOREIGN KEY (factor_set, version) REFERENCES stats.factor_set
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON stats.factor_range
  FOR EACH ROW EXECUTE FUNCTION stats.refuse_change();
COMMENT ON TABLE stats.factor_range IS
  'Where a standard gives a range and no value; never changed. A factor of that energy outside the range is refused at import; without a factor inside it the energy is not converted';
COMMENT ON COLUMN stats.factor_range.factor_set IS 'The set';
COMMENT ON COLUMN stats.factor_range.version IS 'Its version';
COMMENT ON COLUMN stats.factor_range.energy IS 'Kind of energy';
COMMENT ON COLUMN stats.factor_range.basis IS 'As in stats.factor';
COMMENT ON COLUMN stats.factor_range.low IS 'Lowest value allowed';
COMMENT ON COLUMN stats.factor_range.high IS 'Highest value allowed';
COMMENT ON COLUMN stats.factor_range.unit IS 'Unit of both';
COMMENT ON COLUMN stats.factor_range.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN stats.factor_range.source IS 'Document it is taken from';
COMMENT ON COLUMN stats.factor_range.recorded_at IS 'When we came to know it';

CREATE FUNCTION stats.resolve_factor(
  of_set text, of_version int, of_energy text, of_basis text, regions text[], of_uscc text, on_day date,
  known_at timestamptz DEFAULT 'infinity', of_unit text DEFAULT NULL, carry boolean DEFAULT false
) RETURNS SETOF stats.factor
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
  AS $body$
    SELECT f.*
    FROM stats.factor AS f
    WHERE f.factor_set = of_set AND f.version = of_version AND f.energy = of_energy AND f.basis = of_basis
      AND f.region = ANY (regions)
      AND (f.uscc IS NULL OR f.uscc = of_uscc)
      AND f.valid_from <= on_day AND (carry OR f.valid_to IS NULL OR on_day < f.valid_to)
      AND f.recorded_at <= known_at
      AND (of_unit IS NULL OR f.unit = of_unit)
    ORDER BY
      f.valid_to IS NULL OR on_day < f.valid_to DESC,
      CASE WHEN f.valid_to <= on_day THEN f.valid_to END DESC,
      array_position(ARRAY['measured', 'local', 'national', 'default'], f.level),
      array_position(regions, f.region)
    LIMIT 1
  $body$;
COMMENT ON FUNCTION stats.resolve_factor IS
  'The factor that counts for an enterprise on a day: by level (measured, local, national, default), then by region (nearest first, as given). No row when there is none. With carry, where none holds on the day, one of the latest that held before: its valid_to says so';

-- What enterprises report of their energy (表 205-1, 205-2) -------------------------------------------------------------

CREATE TABLE stats.energy_report (
  report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uscc text NOT NULL REFERENCES registry.enterprise,
  period_type text NOT NULL CHECK (period_type IN ('month', 'jan_feb', 'quarter', 'ytd', 'year')),
  period text NOT NULL,
  period_start date NOT NULL,
  period_end date NOT NULL CHECK (period_end > period_start),
  energy text NOT NULL REFERENCES stats.energy,
  flow text NOT NULL CHECK (flow IN (
    'opening_stock', 'purchased', 'own_generation', 'self_used', 'exported', 'closing_stock',
    'industrial_consumption', 'conversion_input', 'conversion_output', 'recovered', 'non_industrial',
    'feedstock', 'transport')),
  amount numeric NOT NULL CHECK (amount >= 0),
  unit text NOT NULL,
  enthalpy numeric CHECK (enthalpy > 0),
  return_enthalpy numeric CHECK (return_enthalpy >= 0 AND return_enthalpy < enthalpy),
  vintage text NOT NULL CHECK (vintage IN ('flash', 'annual', 'census', 'report')),
  published_at date NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((enthalpy IS NULL) = (return_enthalpy IS NULL)),
  UNIQUE (uscc, period, energy, flow, vintage, published_at, recorded_at)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON stats.energy_report
  FOR EACH ROW EXECUTE FUNCTION stats.refuse_change();
COMMENT ON TABLE stats.energy_report IS
  'Amounts of energy as an enterprise reported them, by flow; never changed. Of several for one key the latest published_at counts, then the latest recorded_at';
COMMENT ON COLUMN stats.energy_report.report_id IS 'Number of ours';
COMMENT ON COLUMN stats.energy_report.uscc IS 'The enterprise';
COMMENT ON COLUMN stats.energy_report.period_type IS 'month, jan_feb (1–2月), quarter, ytd (since January), year';
COMMENT ON COLUMN stats.energy_report.period IS 'The period as text, as in stats.observation';
COMMENT ON COLUMN stats.energy_report.period_start IS 'First day of the period';
COMMENT ON COLUMN stats.energy_report.period_end IS 'First day after the period';
COMMENT ON COLUMN stats.energy_report.energy IS 'Kind of energy';
COMMENT ON COLUMN stats.energy_report.flow IS
  'opening_stock (期初库存), purchased (购进), own_generation (自发电，无燃料), self_used (自发自用), exported (外供), closing_stock (期末库存), industrial_consumption (工业生产消费, conversion included), conversion_input (加工转换投入, part of it), conversion_output (加工转换产出), recovered (回收利用), non_industrial (非工业生产消费), feedstock (用于原材料, part of industrial), transport (厂内运输, part of industrial)';
COMMENT ON COLUMN stats.energy_report.amount IS 'The amount, as reported';
COMMENT ON COLUMN stats.energy_report.unit IS 'Its unit: kWh, 10k_kWh, m3, 10k_m3, kg, t, MJ, GJ';
COMMENT ON COLUMN stats.energy_report.enthalpy IS 'Of steam: kJ/kg as it is delivered';
COMMENT ON COLUMN stats.energy_report.return_enthalpy IS 'Of steam: kJ/kg of what is returned (回水), or of the feed water';
COMMENT ON COLUMN stats.energy_report.vintage IS 'flash (快报), annual (年报), census (普查), report (own report)';
COMMENT ON COLUMN stats.energy_report.published_at IS 'Day of the report';
COMMENT ON COLUMN stats.energy_report.legal_basis IS 'Why we may hold the row; statistical rows are read by the statistics role alone';
COMMENT ON COLUMN stats.energy_report.source IS 'Report it is taken from';
COMMENT ON COLUMN stats.energy_report.recorded_at IS 'When we came to know it';

CREATE FUNCTION stats.energy_report_as_of(known_at timestamptz) RETURNS SETOF stats.energy_report
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    SELECT DISTINCT ON (uscc, period, energy, flow) *
    FROM stats.energy_report
    WHERE recorded_at <= known_at
    ORDER BY uscc, period, energy, flow, published_at DESC, recorded_at DESC, report_id DESC
  $body$;
COMMENT ON FUNCTION stats.energy_report_as_of IS 'The amount of every enterprise, period, energy and flow that counted at that time';

-- Green certificates ----------------------------------------------------------------------------------------------------

CREATE TABLE registry.certificate (
  number text PRIMARY KEY CHECK (length(number) BETWEEN 1 AND 64),
  kind text NOT NULL CHECK (kind IN ('certificate', 'green_power')),
  uscc text NOT NULL REFERENCES registry.enterprise,
  generation text NOT NULL CHECK (generation IN ('wind', 'solar', 'hydro', 'biomass', 'nuclear', 'other')),
  mwh numeric NOT NULL CHECK (mwh > 0),
  generated_month date NOT NULL CHECK (extract(day FROM generated_month) = 1),
  used_year int NOT NULL CHECK (used_year BETWEEN 2000 AND 2100),
  cross_province boolean NOT NULL,
  own_site boolean NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX certificate_uscc ON registry.certificate (uscc, used_year);
COMMENT ON TABLE registry.certificate IS 'Green certificates (绿证) and green power contracts (绿电) that enterprises use; a number counts once, for one enterprise';
COMMENT ON COLUMN registry.certificate.number IS 'Number of the certificate or of the settled trade';
COMMENT ON COLUMN registry.certificate.kind IS 'certificate (绿证), green_power (绿电交易)';
COMMENT ON COLUMN registry.certificate.uscc IS 'Enterprise that uses it';
COMMENT ON COLUMN registry.certificate.generation IS 'wind, solar, hydro, biomass, nuclear or other non-fossil';
COMMENT ON COLUMN registry.certificate.mwh IS 'Electricity it stands for, MWh';
COMMENT ON COLUMN registry.certificate.generated_month IS 'First day of the month in which the electricity was generated';
COMMENT ON COLUMN registry.certificate.used_year IS 'Year of the assessment it is used for';
COMMENT ON COLUMN registry.certificate.cross_province IS 'True when the electricity was generated in another province';
COMMENT ON COLUMN registry.certificate.own_site IS 'True when it was generated on the enterprise''s own site, where it may be claimed physically too: it counts once';
CALL registry.keep_history('certificate');
