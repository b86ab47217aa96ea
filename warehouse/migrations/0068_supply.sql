-- What the energy of supply contracts comes to: periods of the tariff and demand by day, money by month.

CREATE TABLE energy.tariff_day (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL,
  day date NOT NULL,
  month date GENERATED ALWAYS AS (day - (extract(day FROM day)::int - 1)) STORED,
  holder_id int NOT NULL REFERENCES energy.holder,
  contract text,
  tariff text,
  period text NOT NULL
    CHECK (period IN ('sharp', 'peak', 'flat', 'valley', 'deep_valley', 'single', 'unknown')),
  reason text,
  energy numeric,
  measured smallint NOT NULL,
  estimated smallint NOT NULL,
  unknown smallint NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (meter_id, feed_in, day, holder_id, contract, tariff, period, reason),
  CHECK ((period = 'unknown') = (reason IS NOT NULL)),
  CHECK (energy IS NOT NULL OR measured + estimated = 0)
);
CREATE INDEX tariff_day_contract ON energy.tariff_day (contract, month) WHERE NOT feed_in;
CREATE INDEX tariff_day_holder ON energy.tariff_day (holder_id, day);
COMMENT ON TABLE energy.tariff_day IS
  'Energy of a day by period of the tariff (峰平谷电量): sums of energy.quarter by what each quarter-hour began under, so that the periods of a day add up to energy.day';
COMMENT ON COLUMN energy.tariff_day.meter_id IS 'The meter';
COMMENT ON COLUMN energy.tariff_day.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.tariff_day.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN energy.tariff_day.month IS 'Its month, as the first day';
COMMENT ON COLUMN energy.tariff_day.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.tariff_day.contract IS
  'The contract whose term names the meter, or whose enterprise has it as a boundary meter; null when there is none';
COMMENT ON COLUMN energy.tariff_day.tariff IS 'The tariff that the contract names; null when it names none';
COMMENT ON COLUMN energy.tariff_day.period IS
  'sharp (尖), peak (峰), flat (平), valley (谷), deep_valley (深谷), single (不分时), unknown (未知)';
COMMENT ON COLUMN energy.tariff_day.reason IS
  'Why it is unknown: no_contract, no_tariff, no_period, calendar (that year is not in the calendar of holidays), cut (a boundary within the quarter-hour)';
COMMENT ON COLUMN energy.tariff_day.energy IS 'Sum of the known quarter-hours, exact; null when none is known';
COMMENT ON COLUMN energy.tariff_day.measured IS 'Quarter-hours measured';
COMMENT ON COLUMN energy.tariff_day.estimated IS 'Quarter-hours estimated';
COMMENT ON COLUMN energy.tariff_day.unknown IS 'Quarter-hours unknown';
COMMENT ON COLUMN energy.tariff_day.computed_at IS 'When it was computed';

CREATE VIEW energy.tariff_month AS
SELECT meter_id, feed_in, month, holder_id, contract, tariff, period, reason, sum(energy) AS energy,
       sum(measured) AS measured, sum(estimated) AS estimated, sum(unknown) AS unknown, max(computed_at) AS computed_at
FROM energy.tariff_day
GROUP BY meter_id, feed_in, month, holder_id, contract, tariff, period, reason;
COMMENT ON VIEW energy.tariff_month IS 'Energy of a month by period of the tariff: sums of energy.tariff_day';
COMMENT ON COLUMN energy.tariff_month.meter_id IS 'The meter';
COMMENT ON COLUMN energy.tariff_month.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.tariff_month.month IS 'Month of Asia/Shanghai, as its first day';
COMMENT ON COLUMN energy.tariff_month.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.tariff_month.contract IS 'The contract; null when there is none';
COMMENT ON COLUMN energy.tariff_month.tariff IS 'The tariff; null when the contract names none';
COMMENT ON COLUMN energy.tariff_month.period IS 'As in energy.tariff_day';
COMMENT ON COLUMN energy.tariff_month.reason IS 'Why the period is unknown';
COMMENT ON COLUMN energy.tariff_month.energy IS 'Sum of the known quarter-hours, exact; null when none is known';
COMMENT ON COLUMN energy.tariff_month.measured IS 'Quarter-hours measured';
COMMENT ON COLUMN energy.tariff_month.estimated IS 'Quarter-hours estimated';
COMMENT ON COLUMN energy.tariff_month.unknown IS 'Quarter-hours unknown';
COMMENT ON COLUMN energy.tariff_month.computed_at IS 'When the last of its days was computed';

CREATE TABLE energy.demand_day (
  meter_id int NOT NULL REFERENCES registry.meter,
  day date NOT NULL,
  month date GENERATED ALWAYS AS (day - (extract(day FROM day)::int - 1)) STORED,
  holder_id int NOT NULL REFERENCES energy.holder,
  contract text,
  contracted_kw numeric,
  kw numeric,
  at timestamptz,
  estimated boolean NOT NULL,
  known smallint NOT NULL,
  unknown smallint NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (meter_id, day, holder_id, contract, contracted_kw),
  CHECK ((kw IS NULL) = (known = 0)),
  CHECK ((kw IS NULL) = (at IS NULL))
);
CREATE INDEX demand_day_holder ON energy.demand_day (holder_id, day);
COMMENT ON TABLE energy.demand_day IS
  'Highest demand (最大需量) of a day that was drawn through a meter in kWh: the mean of a quarter-hour, its energy × 4';
COMMENT ON COLUMN energy.demand_day.meter_id IS 'The meter';
COMMENT ON COLUMN energy.demand_day.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN energy.demand_day.month IS 'Its month, as the first day';
COMMENT ON COLUMN energy.demand_day.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.demand_day.contract IS 'The contract, as in energy.tariff_day; null when there is none';
COMMENT ON COLUMN energy.demand_day.contracted_kw IS
  'Contracted demand (合同需量) in kW where a term names this very meter; a contract of several meters stands in energy.contract_demand_day';
COMMENT ON COLUMN energy.demand_day.kw IS 'The highest, kW, exact; null when no quarter-hour is known';
COMMENT ON COLUMN energy.demand_day.at IS 'Beginning of that quarter-hour, the first of equals';
COMMENT ON COLUMN energy.demand_day.estimated IS 'Whether the energy of that quarter-hour was estimated';
COMMENT ON COLUMN energy.demand_day.known IS 'Quarter-hours known, measured or estimated';
COMMENT ON COLUMN energy.demand_day.unknown IS 'Quarter-hours unknown: the demand was at least so high';
COMMENT ON COLUMN energy.demand_day.computed_at IS 'When it was computed';

CREATE VIEW energy.demand_month AS
SELECT meter_id, month, holder_id, contract, max(kw) AS kw,
       (array_agg(at ORDER BY kw DESC NULLS LAST, at))[1] AS at,
       (array_agg(estimated ORDER BY kw DESC NULLS LAST, at))[1] AS estimated,
       sum(known) AS known, sum(unknown) AS unknown, sum(unknown) > 0 AS at_least,
       contracted_kw, round(max(kw) / contracted_kw, 6) AS ratio, max(computed_at) AS computed_at
FROM energy.demand_day
GROUP BY meter_id, month, holder_id, contract, contracted_kw;
COMMENT ON VIEW energy.demand_month IS
  'Highest demand (最大需量) of a month through a meter, a row for each holder, contract and contracted demand that it had';
COMMENT ON COLUMN energy.demand_month.meter_id IS 'The meter';
COMMENT ON COLUMN energy.demand_month.month IS 'Month of Asia/Shanghai, as its first day';
COMMENT ON COLUMN energy.demand_month.holder_id IS 'Who had the meter: energy.holder';
COMMENT ON COLUMN energy.demand_month.contract IS 'The contract; null when there is none';
COMMENT ON COLUMN energy.demand_month.kw IS 'The highest, kW, exact; null when no quarter-hour is known';
COMMENT ON COLUMN energy.demand_month.at IS 'Beginning of that quarter-hour, the first of equals';
COMMENT ON COLUMN energy.demand_month.estimated IS 'Whether the energy of that quarter-hour was estimated';
COMMENT ON COLUMN energy.demand_month.known IS 'Quarter-hours known, measured or estimated';
COMMENT ON COLUMN energy.demand_month.unknown IS 'Quarter-hours unknown';
COMMENT ON COLUMN energy.demand_month.at_least IS
  'True when quarter-hours are unknown: the demand was at least so high. Those not closed yet do not count';
COMMENT ON COLUMN energy.demand_month.contracted_kw IS 'Contracted demand, kW, where a term names this very meter';
COMMENT ON COLUMN energy.demand_month.ratio IS 'kw / contracted_kw, to 6 digits; null when nothing is contracted for this meter';
COMMENT ON COLUMN energy.demand_month.computed_at IS 'When the last of its days was computed';

CREATE TABLE energy.contract_demand_day (
  contract text NOT NULL,
  day date NOT NULL,
  month date GENERATED ALWAYS AS (day - (extract(day FROM day)::int - 1)) STORED,
  contracted_kw numeric,
  kw numeric,
  at timestamptz,
  estimated boolean NOT NULL,
  known smallint NOT NULL,
  unknown smallint NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (contract, day, contracted_kw),
  CHECK ((kw IS NULL) = (known = 0)),
  CHECK ((kw IS NULL) = (at IS NULL))
);
COMMENT ON TABLE energy.contract_demand_day IS
  'Highest demand (最大需量) of a day under a contract: of the sum of its meters at one and the same quarter-hour';
COMMENT ON COLUMN energy.contract_demand_day.contract IS 'The contract';
COMMENT ON COLUMN energy.contract_demand_day.day IS 'Day of Asia/Shanghai';
COMMENT ON COLUMN energy.contract_demand_day.month IS 'Its month, as the first day';
COMMENT ON COLUMN energy.contract_demand_day.contracted_kw IS 'Contracted demand (合同需量), kW; null when the term names none';
COMMENT ON COLUMN energy.contract_demand_day.kw IS 'The highest, kW, exact; null when no quarter-hour is known';
COMMENT ON COLUMN energy.contract_demand_day.at IS 'Beginning of that quarter-hour, the first of equals';
COMMENT ON COLUMN energy.contract_demand_day.estimated IS 'Whether any energy in that quarter-hour was estimated';
COMMENT ON COLUMN energy.contract_demand_day.known IS 'Quarter-hours in which every meter is known';
COMMENT ON COLUMN energy.contract_demand_day.unknown IS 'Quarter-hours in which some meter is unknown, or absent beside others';
COMMENT ON COLUMN energy.contract_demand_day.computed_at IS 'When it was computed';

CREATE VIEW energy.contract_demand_month AS
SELECT contract, month, max(kw) AS kw,
       (array_agg(at ORDER BY kw DESC NULLS LAST, at))[1] AS at,
       (array_agg(estimated ORDER BY kw DESC NULLS LAST, at))[1] AS estimated,
       sum(known) AS known, sum(unknown) AS unknown, sum(unknown) > 0 AS at_least,
       contracted_kw, round(max(kw) / contracted_kw, 6) AS ratio, max(computed_at) AS computed_at
FROM energy.contract_demand_day
GROUP BY contract, month, contracted_kw;
COMMENT ON VIEW energy.contract_demand_month IS
  'Highest demand (最大需量) of a month under a contract, a row for each contracted demand that it had';
COMMENT ON COLUMN energy.contract_demand_month.contract IS 'The contract';
COMMENT ON COLUMN energy.contract_demand_month.month IS 'Month of Asia/Shanghai, as its first day';
COMMENT ON COLUMN energy.contract_demand_month.kw IS 'The highest, kW, exact; null when no quarter-hour is known';
COMMENT ON COLUMN energy.contract_demand_month.at IS 'Beginning of that quarter-hour, the first of equals';
COMMENT ON COLUMN energy.contract_demand_month.estimated IS 'Whether any energy in that quarter-hour was estimated';
COMMENT ON COLUMN energy.contract_demand_month.known IS 'Quarter-hours in which every meter is known';
COMMENT ON COLUMN energy.contract_demand_month.unknown IS 'Quarter-hours in which some meter is unknown';
COMMENT ON COLUMN energy.contract_demand_month.at_least IS
  'True when quarter-hours are unknown: the demand was at least so high. Those not closed yet do not count';
COMMENT ON COLUMN energy.contract_demand_month.contracted_kw IS 'Contracted demand, kW; null when the term names none';
COMMENT ON COLUMN energy.contract_demand_month.ratio IS 'kw / contracted_kw, to 6 digits; null when nothing is contracted';
COMMENT ON COLUMN energy.contract_demand_month.computed_at IS 'When the last of its days was computed';

CREATE TABLE energy.cost_month (
  contract text NOT NULL,
  month date NOT NULL CHECK (extract(day FROM month) = 1),
  energy_known_cny numeric,
  energy_missing text[] NOT NULL,
  energy_cny numeric,
  basic_known_cny numeric,
  basic_missing text[] NOT NULL,
  basic_cny numeric,
  total_cny numeric,
  rule_version int NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (contract, month),
  CHECK ((energy_cny IS NULL) = (energy_missing <> '{}')),
  CHECK ((basic_cny IS NULL) = (basic_missing <> '{}')),
  CHECK ((total_cny IS NULL) = (energy_missing <> '{}' OR basic_missing <> '{}'))
);
COMMENT ON TABLE energy.cost_month IS
  'What a contract''s month costs (电费), exact, not rounded. An amount is null as long as anything of it is missing; what is known of it and what is missing stand beside it. A month in which nothing was counted under the contract has no row';
COMMENT ON COLUMN energy.cost_month.contract IS 'The contract';
COMMENT ON COLUMN energy.cost_month.month IS 'Month of Asia/Shanghai, as its first day';
COMMENT ON COLUMN energy.cost_month.energy_known_cny IS 'Energy charge of what is known, CNY; not the charge when anything is missing';
COMMENT ON COLUMN energy.cost_month.energy_missing IS
  'What is missing: energy_unknown:quarter-hours, energy_absent:quarter-hours, period_unknown:reason, no_price:item, price_changes:item (within a day), price_unit:item';
COMMENT ON COLUMN energy.cost_month.energy_cny IS 'Energy charge (电度电费), CNY';
COMMENT ON COLUMN energy.cost_month.basic_known_cny IS 'Basic charge that stands in any case, CNY';
COMMENT ON COLUMN energy.cost_month.basic_missing IS
  'What is missing: demand_unknown:quarter-hours, no_price:item, price_changes:item (within the month), no_basis, no_tariff, basis_changes, part_of_month';
COMMENT ON COLUMN energy.cost_month.basic_cny IS 'Basic charge (基本电费), CNY; 0 where the tariff has none';
COMMENT ON COLUMN energy.cost_month.total_cny IS 'Both; null when anything is missing';
COMMENT ON COLUMN energy.cost_month.rule_version IS 'Version of the rule set basic_charge (warehouse/supply/rules.toml)';
COMMENT ON COLUMN energy.cost_month.computed_at IS 'When it was computed';

CREATE TABLE energy.cost_item (
  contract text NOT NULL,
  month date NOT NULL CHECK (extract(day FROM month) = 1),
  item text NOT NULL CHECK (item IN
    ('sharp', 'peak', 'flat', 'valley', 'deep_valley', 'single', 'unknown', 'demand', 'demand_excess', 'capacity')),
  unit text NOT NULL,
  price numeric,
  quantity numeric NOT NULL,
  amount_cny numeric,
  first_day date NOT NULL,
  last_day date NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (contract, month, item, unit, price),
  CHECK ((amount_cny IS NULL) = (price IS NULL))
);
COMMENT ON TABLE energy.cost_item IS 'The lines of energy.cost_month: quantity and price, exact';
COMMENT ON COLUMN energy.cost_item.contract IS 'The contract';
COMMENT ON COLUMN energy.cost_item.month IS 'Month of Asia/Shanghai, as its first day';
COMMENT ON COLUMN energy.cost_item.item IS
  'A period of the tariff, as in energy.tariff_day; demand (需量), demand_excess (超需量, beyond what is free), capacity (容量)';
COMMENT ON COLUMN energy.cost_item.unit IS 'Unit of the quantity: kWh, m3, MJ, t, kW, kVA';
COMMENT ON COLUMN energy.cost_item.price IS 'CNY for one unit; null when it is missing';
COMMENT ON COLUMN energy.cost_item.quantity IS 'Known quantity; what is unknown stands in energy.cost_month';
COMMENT ON COLUMN energy.cost_item.amount_cny IS 'quantity × price; null without a price';
COMMENT ON COLUMN energy.cost_item.first_day IS 'First day with such a quantity';
COMMENT ON COLUMN energy.cost_item.last_day IS 'Last day with such a quantity';
COMMENT ON COLUMN energy.cost_item.computed_at IS 'When it was computed';

-- What has to be computed again ---------------------------------------------------------------------------------------

CREATE TABLE energy.supply_dirty (
  dirty_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  meter_id int,
  uscc text,
  contract text,
  tariff text,
  t_from timestamptz NOT NULL,
  t_to timestamptz NOT NULL,
  CHECK (num_nonnulls(meter_id, uscc, contract, tariff) > 0)
);
COMMENT ON TABLE energy.supply_dirty IS
  'Changes of the registry that touch periods, demand or money. Inserted only, the job supply deletes the rows it saw';
COMMENT ON COLUMN energy.supply_dirty.dirty_id IS 'The mark';
COMMENT ON COLUMN energy.supply_dirty.meter_id IS 'A meter that is, or was, concerned';
COMMENT ON COLUMN energy.supply_dirty.uscc IS 'An enterprise whose boundary meters are, or were, concerned';
COMMENT ON COLUMN energy.supply_dirty.contract IS 'A contract whose money is concerned';
COMMENT ON COLUMN energy.supply_dirty.tariff IS 'A tariff whose contracts are concerned';
COMMENT ON COLUMN energy.supply_dirty.t_from IS 'From when';
COMMENT ON COLUMN energy.supply_dirty.t_to IS 'Until when, exclusive';

CREATE TABLE energy.supply_due (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  day date NOT NULL,
  PRIMARY KEY (meter_id, feed_in, day)
);
COMMENT ON TABLE energy.supply_due IS
  'Days that a change of the registry touches, until the job supply has computed them; changed readings stand in energy.day_changed';
COMMENT ON COLUMN energy.supply_due.meter_id IS 'The meter';
COMMENT ON COLUMN energy.supply_due.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN energy.supply_due.day IS 'Day of Asia/Shanghai';

CREATE FUNCTION energy.registry_moment(told text) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE
    WHEN told IS NULL THEN 'infinity'
    WHEN length(told) = 10 THEN told::date::timestamp AT TIME ZONE 'Asia/Shanghai'
    ELSE told::timestamptz
  END;
COMMENT ON FUNCTION energy.registry_moment IS
  'The time of a valid_from or valid_to of the registry as JSON writes it: a day begins in Asia/Shanghai, none is infinity';

CREATE FUNCTION energy.mark_supply() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  of_no_matter text[] := '{legal_basis,source,recorded_at,name,name_zh,name_en,parent_id,voltage_kv,of_flat}';
BEGIN
  IF TG_OP = 'UPDATE' AND before - of_no_matter = after - of_no_matter THEN
    RETURN NULL;
  END IF;
  INSERT INTO energy.supply_dirty (meter_id, uscc, contract, tariff, t_from, t_to)
  SELECT CASE WHEN 'meter_id' = ANY(TG_ARGV) THEN (touched.row ->> 'meter_id')::int END,
         CASE WHEN 'uscc' = ANY(TG_ARGV) THEN touched.row ->> 'uscc' END,
         CASE WHEN 'contract' = ANY(TG_ARGV) THEN touched.row ->> 'contract' END,
         CASE WHEN 'tariff' = ANY(TG_ARGV) THEN touched.row ->> 'tariff' END,
         touched.t_from, touched.t_to
  FROM (
    -- When only the end moved, what lies between the two ends changed; else all that either row holds for.
    SELECT after, least(energy.registry_moment(before ->> 'valid_to'), energy.registry_moment(after ->> 'valid_to')),
           greatest(energy.registry_moment(before ->> 'valid_to'), energy.registry_moment(after ->> 'valid_to'))
    WHERE TG_OP = 'UPDATE' AND before - of_no_matter - 'valid_to' = after - of_no_matter - 'valid_to'
    UNION ALL
    SELECT held, energy.registry_moment(held ->> 'valid_from'), energy.registry_moment(held ->> 'valid_to')
    FROM (VALUES (before), (after)) AS rows (held)
    WHERE held IS NOT NULL
      AND (TG_OP <> 'UPDATE' OR before - of_no_matter - 'valid_to' <> after - of_no_matter - 'valid_to')
  ) AS touched (row, t_from, t_to);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION energy.mark_supply IS
  'Trigger: marks what a changed row of the registry touches; its arguments are the columns that name it';

CREATE TRIGGER mark_supply AFTER INSERT OR UPDATE OR DELETE ON registry.supply_term
  FOR EACH ROW EXECUTE FUNCTION energy.mark_supply('meter_id', 'uscc', 'contract');
CREATE TRIGGER mark_supply AFTER INSERT OR UPDATE OR DELETE ON registry.supply_price
  FOR EACH ROW EXECUTE FUNCTION energy.mark_supply('contract');
CREATE TRIGGER mark_supply AFTER INSERT OR UPDATE OR DELETE ON registry.tariff_attribute
  FOR EACH ROW EXECUTE FUNCTION energy.mark_supply('tariff');
CREATE TRIGGER mark_supply AFTER INSERT OR UPDATE OR DELETE ON registry.tariff_period
  FOR EACH ROW EXECUTE FUNCTION energy.mark_supply('tariff');
CREATE TRIGGER mark_supply AFTER INSERT OR UPDATE OR DELETE ON registry.meter_placement
  FOR EACH ROW EXECUTE FUNCTION energy.mark_supply('meter_id', 'uscc');

-- What was accounted for before: every day that there is.
INSERT INTO energy.consumer (consumer) VALUES ('supply');
INSERT INTO energy.supply_due (meter_id, feed_in, day) SELECT DISTINCT meter_id, feed_in, day FROM energy.day;
