-- What energy costs and when it is expected to flow: tariffs by time of use, supply contracts, shifts, planned stops.

CREATE TABLE registry.tariff (
  tariff text PRIMARY KEY CHECK (tariff ~ '^[a-z0-9][a-z0-9-]{0,39}$')
);
COMMENT ON TABLE registry.tariff IS 'Classes of tariff (电价类别) by name of ours';
COMMENT ON COLUMN registry.tariff.tariff IS 'Short name, for example sh-two-part';

CREATE TABLE registry.tariff_attribute (
  tariff text NOT NULL REFERENCES registry.tariff,
  valid_from date NOT NULL,
  valid_to date,
  name_zh text NOT NULL,
  name_en text,
  structure text NOT NULL CHECK (structure IN ('one_part', 'two_part')),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tariff, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (tariff WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.tariff_attribute IS 'Name and structure of a tariff (电价类别), dated';
COMMENT ON COLUMN registry.tariff_attribute.tariff IS 'The tariff';
COMMENT ON COLUMN registry.tariff_attribute.name_zh IS 'Chinese name';
COMMENT ON COLUMN registry.tariff_attribute.name_en IS 'English name';
COMMENT ON COLUMN registry.tariff_attribute.structure IS
  'one_part (单一制: energy only), two_part (两部制: energy, and demand or capacity)';

CREATE TABLE registry.tariff_period (
  tariff text NOT NULL REFERENCES registry.tariff,
  first_month smallint NOT NULL CHECK (first_month BETWEEN 1 AND 12),
  last_month smallint NOT NULL CHECK (last_month BETWEEN first_month AND 12),
  days text NOT NULL CHECK (days IN ('all', 'workday', 'weekend', 'holiday')),
  start_minute smallint NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
  end_minute smallint NOT NULL CHECK (end_minute BETWEEN 1 AND 1440),
  valid_from date NOT NULL,
  valid_to date,
  period text NOT NULL CHECK (period IN ('sharp', 'peak', 'flat', 'valley', 'deep_valley')),
  of_flat numeric(6, 4) CHECK (of_flat > 0),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tariff, first_month, days, start_minute, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (start_minute < end_minute),
  EXCLUDE USING gist (
    tariff WITH =, days WITH =, int4range(first_month, last_month, '[]') WITH &&,
    int4range(start_minute, end_minute) WITH &&, daterange(valid_from, valid_to) WITH &&
  ) DEFERRABLE
);
COMMENT ON TABLE registry.tariff_period IS
  'Time of use (分时电价时段): which period an hour of the day of Asia/Shanghai belongs to, by season and kind of day';
COMMENT ON COLUMN registry.tariff_period.tariff IS 'The tariff';
COMMENT ON COLUMN registry.tariff_period.first_month IS 'First month of the season';
COMMENT ON COLUMN registry.tariff_period.last_month IS 'Last month of the season, included; a season over New Year is two rows';
COMMENT ON COLUMN registry.tariff_period.days IS
  'all, workday (工作日), weekend (休息日), holiday (法定节假日); a row for the kind of day goes before one for all';
COMMENT ON COLUMN registry.tariff_period.start_minute IS 'First minute of the day, counted from 00:00';
COMMENT ON COLUMN registry.tariff_period.end_minute IS 'First minute no longer in it; 1440 is 24:00';
COMMENT ON COLUMN registry.tariff_period.period IS 'sharp (尖), peak (峰), flat (平), valley (谷), deep_valley (深谷)';
COMMENT ON COLUMN registry.tariff_period.of_flat IS 'Price as a multiple of the flat price (以平段为基数); null when the table gives none';

CREATE TABLE registry.supply_contract (
  contract text PRIMARY KEY CHECK (length(contract) BETWEEN 1 AND 64),
  carrier text NOT NULL
    CHECK (carrier IN ('electricity', 'natural_gas', 'water', 'heat', 'steam', 'compressed_air'))
);
COMMENT ON TABLE registry.supply_contract IS 'Supply contracts (供用能合同) by number; terms and prices are dated';
COMMENT ON COLUMN registry.supply_contract.contract IS 'Number of the contract, or of the account (户号)';
COMMENT ON COLUMN registry.supply_contract.carrier IS 'What is supplied';

CREATE TABLE registry.supply_term (
  contract text NOT NULL REFERENCES registry.supply_contract,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  carrier text NOT NULL,
  meter_id int REFERENCES registry.meter,
  uscc text REFERENCES registry.enterprise,
  tariff text REFERENCES registry.tariff,
  voltage_kv numeric(8, 3) CHECK (voltage_kv > 0),
  basis text CHECK (basis IN ('contracted_demand', 'measured_demand', 'transformer_capacity')),
  contracted_kw numeric(12, 3) CHECK (contracted_kw > 0),
  capacity_kva numeric(12, 3) CHECK (capacity_kva > 0),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (contract, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (num_nonnulls(meter_id, uscc) = 1),
  CHECK (carrier = 'electricity' OR num_nonnulls(tariff, voltage_kv, basis, contracted_kw, capacity_kva) = 0),
  CHECK (basis <> 'contracted_demand' OR contracted_kw IS NOT NULL),
  CHECK (basis <> 'transformer_capacity' OR capacity_kva IS NOT NULL),
  EXCLUDE USING gist (contract WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE,
  EXCLUDE USING gist (meter_id WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE,
  EXCLUDE USING gist (uscc WITH =, carrier WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.supply_term IS
  'Terms of a supply contract, dated: of one boundary meter, or of all of an enterprise''s meters of the carrier. Without a row demand limits and money are unknown';
COMMENT ON COLUMN registry.supply_term.contract IS 'The contract';
COMMENT ON COLUMN registry.supply_term.carrier IS 'What is supplied, as in registry.supply_contract';
COMMENT ON COLUMN registry.supply_term.meter_id IS 'The boundary meter it is for; null when it is for the enterprise';
COMMENT ON COLUMN registry.supply_term.uscc IS 'The enterprise it is for; null when it is for one meter';
COMMENT ON COLUMN registry.supply_term.tariff IS 'Class of tariff (电价类别); null when it is not electricity';
COMMENT ON COLUMN registry.supply_term.voltage_kv IS 'Voltage of the supply (受电电压), kV';
COMMENT ON COLUMN registry.supply_term.basis IS
  'What the fixed charge is taken from: contracted_demand (合同需量), measured_demand (实际最大需量), transformer_capacity (变压器容量)';
COMMENT ON COLUMN registry.supply_term.contracted_kw IS 'Contracted demand (合同最大需量), kW';
COMMENT ON COLUMN registry.supply_term.capacity_kva IS 'Capacity of the transformers (变压器容量), kVA';

CREATE TABLE registry.supply_price (
  contract text NOT NULL REFERENCES registry.supply_contract,
  item text NOT NULL CHECK (item IN
    ('sharp', 'peak', 'flat', 'valley', 'deep_valley', 'single', 'demand', 'capacity')),
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  price numeric(14, 8) NOT NULL CHECK (price >= 0),
  unit text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (contract, item, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (CASE item
    WHEN 'demand' THEN unit = 'CNY/kW/month'
    WHEN 'capacity' THEN unit = 'CNY/kVA/month'
    WHEN 'single' THEN unit IN ('CNY/kWh', 'CNY/m3', 'CNY/MJ', 'CNY/t')
    ELSE unit = 'CNY/kWh' END),
  EXCLUDE USING gist (contract WITH =, item WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.supply_price IS 'Prices of a supply contract by item (电价、气价), dated, exact';
COMMENT ON COLUMN registry.supply_price.contract IS 'The contract';
COMMENT ON COLUMN registry.supply_price.item IS
  'A period of the tariff: sharp (尖), peak (峰), flat (平), valley (谷), deep_valley (深谷); single (不分时); demand (需量电价), capacity (容量电价)';
COMMENT ON COLUMN registry.supply_price.price IS 'The price (单价)';
COMMENT ON COLUMN registry.supply_price.unit IS
  'Unit of the price: CNY/kWh (元/千瓦时), CNY/m3, CNY/MJ, CNY/t, CNY/kW/month (元/千瓦·月), CNY/kVA/month (元/千伏安·月)';

CREATE TABLE registry.shift (
  uscc text NOT NULL REFERENCES registry.enterprise,
  meter_id int REFERENCES registry.meter,
  shift text NOT NULL,
  valid_from date NOT NULL,
  valid_to date,
  weekdays text NOT NULL CHECK (weekdays ~ '^1?2?3?4?5?6?7?$' AND weekdays <> ''),
  start_minute smallint NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
  end_minute smallint NOT NULL CHECK (end_minute > start_minute AND end_minute <= start_minute + 1440),
  holidays boolean NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (uscc, meter_id, shift, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (
    uscc WITH =, (coalesce(meter_id, 0)) WITH =, shift WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.shift IS 'Shift calendar (班次): when an enterprise, or what one meter feeds, is expected to run';
COMMENT ON COLUMN registry.shift.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.shift.meter_id IS 'The meter whose load it is; null when it holds for the whole enterprise';
COMMENT ON COLUMN registry.shift.shift IS 'Name of the shift (班次名称)';
COMMENT ON COLUMN registry.shift.weekdays IS 'Days on which it begins: digits from 1 (Monday, 周一) to 7 (Sunday, 周日)';
COMMENT ON COLUMN registry.shift.start_minute IS 'Minute of the day of Asia/Shanghai at which it begins';
COMMENT ON COLUMN registry.shift.end_minute IS 'Minute at which it ends, counted from 00:00 of the day it begins; beyond 1440 is the next day';
COMMENT ON COLUMN registry.shift.holidays IS 'Whether it also runs on public holidays (法定节假日)';

CREATE TABLE registry.planned_stop (
  uscc text NOT NULL REFERENCES registry.enterprise,
  meter_id int REFERENCES registry.meter,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  reason text NOT NULL,
  declared_by text NOT NULL CHECK (declared_by IN ('enterprise', 'park_operator', 'administration')),
  declared_on date NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (uscc, meter_id, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (
    uscc WITH =, (coalesce(meter_id, 0)) WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.planned_stop IS
  'Stops that were declared (计划停产、检修): no consumption is expected, and silence is no fault';
COMMENT ON COLUMN registry.planned_stop.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.planned_stop.meter_id IS 'The meter whose load stops; null when the whole enterprise does';
COMMENT ON COLUMN registry.planned_stop.reason IS 'Why: maintenance, holidays, conversion …';
COMMENT ON COLUMN registry.planned_stop.declared_by IS
  'Who said so: enterprise (企业), park_operator (园区运营方), administration (主管部门)';
COMMENT ON COLUMN registry.planned_stop.declared_on IS 'Day it was declared';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'tariff_attribute', 'tariff_period', 'supply_term', 'supply_price', 'shift', 'planned_stop'
  ] LOOP
    CALL registry.keep_history(name);
  END LOOP;
END $$;
