CREATE TEMPORARY TABLE supply_scope (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  day date NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE supply_contract_scope (
  contract text NOT NULL,
  day date NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE supply_month_scope (
  contract text NOT NULL,
  month date NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_tariff (
  meter_id int NOT NULL,
  feed_in boolean NOT NULL,
  day date NOT NULL,
  holder_id int NOT NULL,
  contract text,
  tariff text,
  period text NOT NULL,
  reason text,
  energy numeric,
  measured smallint NOT NULL,
  estimated smallint NOT NULL,
  unknown smallint NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_demand (
  meter_id int NOT NULL,
  day date NOT NULL,
  holder_id int NOT NULL,
  contract text,
  contracted_kw numeric,
  kw numeric,
  at timestamptz,
  estimated boolean NOT NULL,
  known smallint NOT NULL,
  unknown smallint NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_contract_demand (
  contract text NOT NULL,
  day date NOT NULL,
  contracted_kw numeric,
  kw numeric,
  at timestamptz,
  estimated boolean NOT NULL,
  known smallint NOT NULL,
  unknown smallint NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_cost (
  contract text NOT NULL,
  month date NOT NULL,
  energy_known_cny numeric,
  energy_missing text[] NOT NULL,
  energy_cny numeric,
  basic_known_cny numeric,
  basic_missing text[] NOT NULL,
  basic_cny numeric,
  total_cny numeric,
  rule_version int NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_item (
  contract text NOT NULL,
  month date NOT NULL,
  item text NOT NULL,
  unit text NOT NULL,
  price numeric,
  quantity numeric NOT NULL,
  amount_cny numeric,
  first_day date NOT NULL,
  last_day date NOT NULL
) ON COMMIT DROP
