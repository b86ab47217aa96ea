-- Indicators: what a plan wants, and what came of it. Results and their evidence are never changed.

CREATE SCHEMA indicator;
COMMENT ON SCHEMA indicator IS 'Catalogue of indicators, their targets, their results and the evidence';

CREATE TABLE indicator.plan (
  plan text PRIMARY KEY CHECK (plan ~ '^[a-z0-9][a-z0-9-]{0,59}$'),
  name_zh text NOT NULL,
  name_en text NOT NULL,
  base_date date NOT NULL,
  end_date date NOT NULL CHECK (end_date > base_date),
  document text NOT NULL,
  legal_basis registry.legal_basis NOT NULL
);
COMMENT ON TABLE indicator.plan IS 'Plans whose targets are followed';
COMMENT ON COLUMN indicator.plan.plan IS 'Name of ours';
COMMENT ON COLUMN indicator.plan.name_zh IS 'Chinese name';
COMMENT ON COLUMN indicator.plan.name_en IS 'English name';
COMMENT ON COLUMN indicator.plan.base_date IS 'Last day before the plan, to which its bases belong';
COMMENT ON COLUMN indicator.plan.end_date IS 'Last day of the plan, after which its results are final';
COMMENT ON COLUMN indicator.plan.document IS 'Number and date of the document';
COMMENT ON COLUMN indicator.plan.legal_basis IS 'Why we may hold the row';

CREATE TABLE indicator.catalogue (
  indicator text PRIMARY KEY CHECK (indicator ~ '^[a-z][a-z0-9_]{0,63}$'),
  plan text REFERENCES indicator.plan,
  section text NOT NULL,
  name_zh text NOT NULL,
  name_en text NOT NULL,
  unit text NOT NULL,
  kind text NOT NULL CHECK (kind IN
    ('cumulative', 'stock', 'count', 'ratio', 'level', 'growth', 'decline', 'range', 'band', 'milestone', 'rank', 'panel')),
  nature text CHECK (nature IN ('binding', 'expected')),
  entry jsonb NOT NULL,
  digest text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  synced_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE indicator.catalogue IS 'The catalogue as of the last run; its source are the files of metrics/catalogue';
COMMENT ON COLUMN indicator.catalogue.indicator IS 'Identifier';
COMMENT ON COLUMN indicator.catalogue.plan IS 'The plan it belongs to; null for a figure of our own';
COMMENT ON COLUMN indicator.catalogue.section IS 'Where it stands in the plan';
COMMENT ON COLUMN indicator.catalogue.name_zh IS 'Chinese name';
COMMENT ON COLUMN indicator.catalogue.name_en IS 'English name';
COMMENT ON COLUMN indicator.catalogue.unit IS 'Unit of its value';
COMMENT ON COLUMN indicator.catalogue.kind IS 'How its progress is measured';
COMMENT ON COLUMN indicator.catalogue.nature IS '属性: binding (约束性) or expected (预期性); null for a figure of our own';
COMMENT ON COLUMN indicator.catalogue.entry IS 'The whole entry: population, numerator, denominator, registers, 责任单位 …';
COMMENT ON COLUMN indicator.catalogue.digest IS 'Digest of the entry';
COMMENT ON COLUMN indicator.catalogue.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN indicator.catalogue.synced_at IS 'When the row was written';

CREATE TABLE indicator.target (
  indicator text NOT NULL REFERENCES indicator.catalogue,
  version int NOT NULL CHECK (version > 0),
  due date NOT NULL,
  value numeric,
  value_high numeric,
  wording text,
  base numeric,
  document text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  PRIMARY KEY (indicator, version),
  CHECK (num_nonnulls(value, wording) > 0)
);
COMMENT ON TABLE indicator.target IS 'Targets by version; a revised target of the same population is a new version';
COMMENT ON COLUMN indicator.target.indicator IS 'The indicator';
COMMENT ON COLUMN indicator.target.version IS 'Counted from 1';
COMMENT ON COLUMN indicator.target.due IS 'Day it is due';
COMMENT ON COLUMN indicator.target.value IS 'The target; null when the plan gives words only';
COMMENT ON COLUMN indicator.target.value_high IS 'Upper end of a range';
COMMENT ON COLUMN indicator.target.wording IS 'The words: 基本稳定, 完成市下达目标';
COMMENT ON COLUMN indicator.target.base IS 'Value at the plan''s base date; null when none is known';
COMMENT ON COLUMN indicator.target.document IS 'The document that sets it';
COMMENT ON COLUMN indicator.target.legal_basis IS 'Why we may hold the row';

CREATE TABLE indicator.evidence_set (
  evidence_digest text PRIMARY KEY CHECK (evidence_digest ~ '^[0-9a-f]{32}$'),
  members int NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE indicator.evidence_set IS 'Evidence by the digest of its members; results with equal evidence share it';
COMMENT ON COLUMN indicator.evidence_set.evidence_digest IS 'First 128 bits of SHA-256 over the members';
COMMENT ON COLUMN indicator.evidence_set.members IS 'How many';
COMMENT ON COLUMN indicator.evidence_set.recorded_at IS 'When it was written';

CREATE TABLE indicator.evidence (
  evidence_digest text NOT NULL REFERENCES indicator.evidence_set,
  member text NOT NULL,
  counted text NOT NULL CHECK (counted IN ('numerator', 'denominator', 'apart', 'excluded')),
  reason text NOT NULL,
  since date,
  amount numeric,
  weight numeric,
  detail jsonb NOT NULL,
  source text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  PRIMARY KEY (evidence_digest, member)
);
COMMENT ON TABLE indicator.evidence IS 'Who is counted, who is not, and why';
COMMENT ON COLUMN indicator.evidence.evidence_digest IS 'The set';
COMMENT ON COLUMN indicator.evidence.member IS 'The enterprise (统一社会信用代码)';
COMMENT ON COLUMN indicator.evidence.counted IS
  'numerator: in both, or in a plain count; denominator: in the denominator only; apart: a figure beside; excluded';
COMMENT ON COLUMN indicator.evidence.reason IS 'A short stable word: qualified, not_assessed, large, registered_only, outside_region …';
COMMENT ON COLUMN indicator.evidence.since IS 'The day that made it so';
COMMENT ON COLUMN indicator.evidence.amount IS 'What it adds to the numerator, when that is not a count';
COMMENT ON COLUMN indicator.evidence.weight IS 'What it adds to the denominator, when that is not a count';
COMMENT ON COLUMN indicator.evidence.detail IS 'What the figures beside the headline are counted from';
COMMENT ON COLUMN indicator.evidence.source IS 'The rows it rests on';
COMMENT ON COLUMN indicator.evidence.legal_basis IS 'Strictest basis of those rows; statistical members are shown to the statistics role only';

CREATE TABLE indicator.result (
  result_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator text NOT NULL REFERENCES indicator.catalogue,
  scope text NOT NULL,
  period_type text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  period_end date NOT NULL,
  version int NOT NULL CHECK (version > 0),
  as_of timestamptz NOT NULL,
  value numeric,
  unit text NOT NULL,
  numerator numeric,
  denominator numeric,
  coverage numeric CHECK (coverage BETWEEN 0 AND 1),
  progress numeric,
  expected_progress numeric,
  status text NOT NULL CHECK (status IN
    ('met', 'not_met', 'achieved', 'at_target_now', 'on_track', 'slightly_behind', 'behind',
     'insufficient_data', 'target_missing', 'baseline_missing', 'no_target')),
  status_reason text,
  status_reason_zh text,
  light smallint CHECK (light BETWEEN 1 AND 3),
  label text NOT NULL CHECK (label IN ('departmental_estimate', 'published', 'panel')),
  detail jsonb NOT NULL,
  rule text NOT NULL,
  rule_digest text NOT NULL,
  rule_text text NOT NULL,
  sql_digest text NOT NULL,
  catalogue_digest text NOT NULL,
  target_version int,
  factor_set text,
  factor_set_version int,
  vintage text,
  evidence_digest text REFERENCES indicator.evidence_set,
  content_digest text NOT NULL,
  changed text[] NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  computed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (indicator, scope, period_type, period, version),
  CHECK (status <> 'insufficient_data' OR (value IS NULL AND status_reason IS NOT NULL))
);
COMMENT ON TABLE indicator.result IS
  'Results; never changed. A version is added only when something differs from the one known at as_of; the current one has the latest as_of, then version';
COMMENT ON COLUMN indicator.result.result_id IS 'Number of ours';
COMMENT ON COLUMN indicator.result.indicator IS 'The indicator';
COMMENT ON COLUMN indicator.result.scope IS 'Area the result is of; 310117 is the district';
COMMENT ON COLUMN indicator.result.period_type IS 'As in stats.observation';
COMMENT ON COLUMN indicator.result.period IS 'As in stats.observation';
COMMENT ON COLUMN indicator.result.period_start IS 'First day of the period';
COMMENT ON COLUMN indicator.result.period_end IS 'First day after the period';
COMMENT ON COLUMN indicator.result.version IS 'Counted from 1 for one indicator, scope and period';
COMMENT ON COLUMN indicator.result.as_of IS 'Everything recorded by then was known to it';
COMMENT ON COLUMN indicator.result.value IS 'Exact, rounded at display only; null when unknown, which is not 0';
COMMENT ON COLUMN indicator.result.unit IS 'Unit of the value';
COMMENT ON COLUMN indicator.result.numerator IS 'Numerator';
COMMENT ON COLUMN indicator.result.denominator IS 'Denominator';
COMMENT ON COLUMN indicator.result.coverage IS 'Share of what was expected that was there, 0 … 1';
COMMENT ON COLUMN indicator.result.progress IS 'Share of the way to the target';
COMMENT ON COLUMN indicator.result.expected_progress IS 'Share that the plan''s path expects at the end of the period';
COMMENT ON COLUMN indicator.result.status IS 'Where the indicator stands; insufficient_data has no value';
COMMENT ON COLUMN indicator.result.status_reason IS 'Why, and who has to supply what, in English';
COMMENT ON COLUMN indicator.result.status_reason_zh IS 'The same in Chinese';
COMMENT ON COLUMN indicator.result.light IS 'Of a binding indicator: 3 green (三级), 2, 1 red (一级)';
COMMENT ON COLUMN indicator.result.label IS
  'departmental_estimate (部门测算), published (repeats a published figure), panel (says nothing beyond its members)';
COMMENT ON COLUMN indicator.result.detail IS 'Figures beside the headline';
COMMENT ON COLUMN indicator.result.rule IS 'Rule set';
COMMENT ON COLUMN indicator.result.rule_digest IS 'Digest of the rule set';
COMMENT ON COLUMN indicator.result.rule_text IS 'The rule set as it was used';
COMMENT ON COLUMN indicator.result.sql_digest IS 'Digest of the SQL that computed it';
COMMENT ON COLUMN indicator.result.catalogue_digest IS 'Digest of the catalogue entry';
COMMENT ON COLUMN indicator.result.target_version IS 'Version of the target it is set against';
COMMENT ON COLUMN indicator.result.factor_set IS 'Factor set used';
COMMENT ON COLUMN indicator.result.factor_set_version IS 'Its version';
COMMENT ON COLUMN indicator.result.vintage IS 'Vintage of the statistics used';
COMMENT ON COLUMN indicator.result.evidence_digest IS 'The evidence';
COMMENT ON COLUMN indicator.result.content_digest IS 'Digest of all that a version differs by';
COMMENT ON COLUMN indicator.result.changed IS 'What differs from the version before; empty in the first';
COMMENT ON COLUMN indicator.result.legal_basis IS 'Strictest basis of what it rests on, after aggregation';
COMMENT ON COLUMN indicator.result.computed_at IS 'When it was computed';

CREATE VIEW indicator.current_result AS
  SELECT DISTINCT ON (indicator, scope, period_type, period) *
  FROM indicator.result
  ORDER BY indicator, scope, period_type, period, as_of DESC, version DESC;
COMMENT ON VIEW indicator.current_result IS 'The current version of every result';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['evidence_set', 'evidence', 'result', 'target'] LOOP
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON indicator.%I
      FOR EACH ROW EXECUTE FUNCTION stats.refuse_change()', name);
  END LOOP;
END $$;

CREATE FUNCTION indicator.strictness(basis text) RETURNS int
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array_position(ARRAY['published', 'administrative', 'consented', 'statistical'], basis);
COMMENT ON FUNCTION indicator.strictness IS 'How strict a legal basis is, 1 (published) to 4 (statistical): the largest of several holds';

CREATE FUNCTION indicator.basis(strictness int) RETURNS registry.legal_basis
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (ARRAY['published', 'administrative', 'consented', 'statistical'])[strictness];
COMMENT ON FUNCTION indicator.basis IS 'The legal basis of that strictness, the inverse of indicator.strictness';
