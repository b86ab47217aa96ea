-- Gateways and meters: whose they are, what feeds them, by which ratio, and when they were changed.

CREATE TABLE registry.gateway_binding (
  gateway text NOT NULL CHECK (gateway ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  uscc text NOT NULL REFERENCES registry.enterprise,
  site text,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (gateway, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (gateway WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX gateway_binding_uscc ON registry.gateway_binding (uscc);
COMMENT ON TABLE registry.gateway_binding IS 'Which enterprise a gateway stands at; an unbound gateway is stored, listed and counted nowhere';
COMMENT ON COLUMN registry.gateway_binding.gateway IS 'Name of the gateway, equal to its MQTT user';
COMMENT ON COLUMN registry.gateway_binding.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.gateway_binding.site IS 'Where on its premises, for people';
COMMENT ON COLUMN registry.gateway_binding.valid_from IS 'From when';
COMMENT ON COLUMN registry.gateway_binding.valid_to IS 'Until when (exclusive); null while it holds';
COMMENT ON COLUMN registry.gateway_binding.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.gateway_binding.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.gateway_binding.recorded_at IS 'When we came to know it';

CREATE TABLE registry.meter (
  meter_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  serial text NOT NULL UNIQUE CHECK (length(serial) BETWEEN 1 AND 64),
  carrier text NOT NULL
    CHECK (carrier IN ('electricity', 'natural_gas', 'water', 'heat', 'steam', 'compressed_air')),
  unit text NOT NULL
);
COMMENT ON TABLE registry.meter IS 'Meters by serial number; what is dated about them stands in registry.meter_placement';
COMMENT ON COLUMN registry.meter.meter_id IS 'Number of ours';
COMMENT ON COLUMN registry.meter.serial IS 'Serial number on the meter';
COMMENT ON COLUMN registry.meter.carrier IS 'What it measures the flow of';
COMMENT ON COLUMN registry.meter.unit IS 'Unit of its account: kWh, m3, MJ or t';

CREATE TABLE registry.meter_placement (
  meter_id int NOT NULL REFERENCES registry.meter,
  uscc text NOT NULL REFERENCES registry.enterprise,
  role text NOT NULL CHECK (role IN ('boundary', 'sub', 'generation')),
  parent_id int REFERENCES registry.meter,
  name text,
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (parent_id <> meter_id),
  EXCLUDE USING gist (meter_id WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX meter_placement_uscc ON registry.meter_placement (uscc);
COMMENT ON TABLE registry.meter_placement IS 'Whose account a meter belongs to, and in which role';
COMMENT ON COLUMN registry.meter_placement.meter_id IS 'The meter';
COMMENT ON COLUMN registry.meter_placement.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.meter_placement.role IS
  'boundary (贸易结算 or 总表; these alone make the account), sub (explains, never adds), generation (own generation behind the boundary)';
COMMENT ON COLUMN registry.meter_placement.parent_id IS 'Meter upstream of it';
COMMENT ON COLUMN registry.meter_placement.name IS 'What it feeds, for people';
COMMENT ON COLUMN registry.meter_placement.valid_from IS 'From when';
COMMENT ON COLUMN registry.meter_placement.valid_to IS 'Until when (exclusive); null while it holds';
COMMENT ON COLUMN registry.meter_placement.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.meter_placement.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.meter_placement.recorded_at IS 'When we came to know it';

CREATE TABLE registry.meter_series (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL DEFAULT false,
  gateway text NOT NULL CHECK (gateway ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  series text NOT NULL CHECK (series ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'),
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, feed_in, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (meter_id WITH =, (feed_in::int) WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX meter_series_gateway ON registry.meter_series (gateway, series);
COMMENT ON TABLE registry.meter_series IS 'Which register of which gateway tells a meter''s count';
COMMENT ON COLUMN registry.meter_series.meter_id IS 'The meter';
COMMENT ON COLUMN registry.meter_series.feed_in IS 'False: energy drawn (正向); true: energy fed back (反向)';
COMMENT ON COLUMN registry.meter_series.gateway IS 'The gateway';
COMMENT ON COLUMN registry.meter_series.series IS 'Name of the series in the gateway''s birth';
COMMENT ON COLUMN registry.meter_series.valid_from IS 'From when';
COMMENT ON COLUMN registry.meter_series.valid_to IS 'Until when (exclusive); null while it holds';
COMMENT ON COLUMN registry.meter_series.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.meter_series.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.meter_series.recorded_at IS 'When we came to know it';

CREATE TABLE registry.multiplier (
  meter_id int NOT NULL REFERENCES registry.meter,
  pt numeric NOT NULL CHECK (pt > 0),
  ct numeric NOT NULL CHECK (ct > 0),
  valid_from timestamptz NOT NULL,
  valid_to timestamptz,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (meter_id WITH =, tstzrange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.multiplier IS
  'Transformer ratios: a register on the secondary side counts 1 / (pt × ct) of the energy. Without a row the energy is unknown';
COMMENT ON COLUMN registry.multiplier.meter_id IS 'The meter';
COMMENT ON COLUMN registry.multiplier.pt IS 'Voltage transformer ratio (电压互感器), 1 when there is none';
COMMENT ON COLUMN registry.multiplier.ct IS 'Current transformer ratio (电流互感器), 1 when there is none';
COMMENT ON COLUMN registry.multiplier.valid_from IS 'From when';
COMMENT ON COLUMN registry.multiplier.valid_to IS 'Until when (exclusive); null while it holds';
COMMENT ON COLUMN registry.multiplier.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.multiplier.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.multiplier.recorded_at IS 'When we came to know it';

CREATE TABLE registry.meter_event (
  meter_id int NOT NULL REFERENCES registry.meter,
  feed_in boolean NOT NULL DEFAULT false,
  at timestamptz NOT NULL,
  old_end numeric NOT NULL CHECK (old_end >= 0),
  new_start numeric NOT NULL CHECK (new_start >= 0),
  note text,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (meter_id, feed_in, at)
);
COMMENT ON TABLE registry.meter_event IS 'Changes of a register: the meter was exchanged, or its count set anew';
COMMENT ON COLUMN registry.meter_event.meter_id IS 'The meter';
COMMENT ON COLUMN registry.meter_event.feed_in IS 'Which of its registers, as in registry.meter_series';
COMMENT ON COLUMN registry.meter_event.at IS 'When';
COMMENT ON COLUMN registry.meter_event.old_end IS 'Last display before, in the register''s unit, not multiplied';
COMMENT ON COLUMN registry.meter_event.new_start IS 'First display after, in the register''s unit, not multiplied';
COMMENT ON COLUMN registry.meter_event.note IS 'For people';
COMMENT ON COLUMN registry.meter_event.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.meter_event.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.meter_event.recorded_at IS 'When we came to know it';
