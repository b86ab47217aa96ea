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
-- Columns of the tables themselves; those that nothing is staged in keep what they are by default.
CREATE TEMPORARY TABLE staged_tariff (LIKE energy.tariff_day INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_demand (LIKE energy.demand_day INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_contract_demand (LIKE energy.contract_demand_day INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_cost (LIKE energy.cost_month INCLUDING DEFAULTS) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_item (LIKE energy.cost_item INCLUDING DEFAULTS) ON COMMIT DROP
