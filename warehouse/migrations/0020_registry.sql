-- Registry: who and what exists in the district, each fact with its dates, its legal basis and its source.
--
-- Two times. Valid time: every fact holds in [valid_from, valid_to); no two rows of one key overlap. Recorded time: a
-- table holds what is known now; a row that is changed or deleted moves to registry.superseded, and
-- registry.<table>_as_of(t) gives the table as it was known at t.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA registry;
COMMENT ON SCHEMA registry IS 'Dated reference data: areas, enterprises, rosters, platforms, gateways, meters, consent';

CREATE DOMAIN registry.legal_basis AS text
  CHECK (VALUE IN ('statistical', 'administrative', 'consented', 'published'));
COMMENT ON DOMAIN registry.legal_basis IS
  'Why we may hold a row: statistical (returns of single enterprises, aggregates only), administrative (a register of the administration), consented (by its owner), published';

CREATE FUNCTION registry.is_uscc(code text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN code ~ '^[0-9ABCDEFGHJKLMNPQRTUWXY]{18}$' AND (
    SELECT (31 - sum((strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(code, p::int, 1)) - 1) * w) % 31) % 31
    FROM unnest(ARRAY[1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]) WITH ORDINALITY AS weight (w, p)
  ) = strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(code, 18, 1)) - 1;
COMMENT ON FUNCTION registry.is_uscc IS
  'True for a 统一社会信用代码 (GB 32100-2015): 18 characters of its alphabet, with the right check character';

CREATE TABLE registry.superseded (
  table_name text NOT NULL,
  row jsonb NOT NULL,
  recorded_at timestamptz NOT NULL,
  superseded_at timestamptz NOT NULL
);
CREATE INDEX superseded_table_recorded ON registry.superseded (table_name, recorded_at, superseded_at);
COMMENT ON TABLE registry.superseded IS 'Rows of the registry as they were before a change or a deletion; never changed';
COMMENT ON COLUMN registry.superseded.table_name IS 'Schema and table of the row';
COMMENT ON COLUMN registry.superseded.row IS 'The row as it was';
COMMENT ON COLUMN registry.superseded.recorded_at IS 'When we came to know the row';
COMMENT ON COLUMN registry.superseded.superseded_at IS 'When it was replaced or deleted; it was known in [recorded_at, superseded_at)';

CREATE FUNCTION registry.keep_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'recorded_at' = to_jsonb(OLD) - 'recorded_at' THEN
    RETURN NULL;
  END IF;
  INSERT INTO registry.superseded (table_name, row, recorded_at, superseded_at)
  VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, to_jsonb(OLD), OLD.recorded_at, now());
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  NEW.recorded_at := now();
  RETURN NEW;
END $$;
COMMENT ON FUNCTION registry.keep_superseded IS
  'Trigger: keeps the old row in registry.superseded and stamps the new one; an update that changes nothing is none';

-- Areas ---------------------------------------------------------------------------------------------------------------

CREATE TABLE registry.area (
  area text PRIMARY KEY CHECK (area ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  kind text NOT NULL CHECK (kind IN ('district', 'belt', 'town', 'statistical_area', 'zone', 'park'))
);
COMMENT ON TABLE registry.area IS 'Areas by code; what is dated about them stands in registry.area_attribute';
COMMENT ON COLUMN registry.area.area IS 'Code: administrative areas by their 6 or 12 digits, the others by a name of ours';
COMMENT ON COLUMN registry.area.kind IS
  'district; belt (三片); town (街道, 镇); statistical_area (统计用区划); zone (一廊九区); park (产业园区)';

CREATE TABLE registry.area_attribute (
  area text NOT NULL REFERENCES registry.area,
  valid_from date NOT NULL,
  valid_to date,
  name_zh text NOT NULL,
  name_en text,
  parent text REFERENCES registry.area,
  tier text CHECK (tier IN ('municipal_featured', 'district_featured', 'district_nurtured')),
  operator text,
  stars smallint CHECK (stars BETWEEN 1 AND 5),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (area, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (parent <> area),
  EXCLUDE USING gist (area WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.area_attribute IS 'Names, tier, operator and rating of an area, dated';
COMMENT ON COLUMN registry.area_attribute.area IS 'The area';
COMMENT ON COLUMN registry.area_attribute.valid_from IS 'First day';
COMMENT ON COLUMN registry.area_attribute.valid_to IS 'First day on which it no longer holds; null while it does';
COMMENT ON COLUMN registry.area_attribute.name_zh IS 'Chinese name';
COMMENT ON COLUMN registry.area_attribute.name_en IS 'English name, when there is one';
COMMENT ON COLUMN registry.area_attribute.parent IS 'The area it lies in: a belt for a town; null when none is documented';
COMMENT ON COLUMN registry.area_attribute.tier IS
  'Of a park: municipal_featured (市级特色), district_featured (区级特色), district_nurtured (区级培育)';
COMMENT ON COLUMN registry.area_attribute.operator IS 'Who runs a park';
COMMENT ON COLUMN registry.area_attribute.stars IS 'Rating of a park (星级)';
COMMENT ON COLUMN registry.area_attribute.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.area_attribute.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.area_attribute.recorded_at IS 'When we came to know it';

-- Enterprises ---------------------------------------------------------------------------------------------------------

CREATE TABLE registry.enterprise (
  uscc text PRIMARY KEY CHECK (registry.is_uscc(uscc))
);
COMMENT ON TABLE registry.enterprise IS 'Every enterprise that any register names; what is known of it is dated and stands elsewhere';
COMMENT ON COLUMN registry.enterprise.uscc IS '统一社会信用代码, check character verified';

CREATE TABLE registry.enterprise_attribute (
  uscc text NOT NULL REFERENCES registry.enterprise,
  valid_from date NOT NULL,
  valid_to date,
  name text NOT NULL,
  sector text CHECK (sector ~ '^[A-T][0-9]{0,4}$'),
  size text NOT NULL CHECK (size IN ('large', 'medium', 'small', 'micro', 'unknown')),
  registered_region text CHECK (registered_region ~ '^[0-9]{6}([0-9]{6})?$'),
  statistical_region text CHECK (statistical_region ~ '^[0-9]{6}([0-9]{6})?$'),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (uscc WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.enterprise_attribute IS 'Name, sector, size and place of an enterprise, dated';
COMMENT ON COLUMN registry.enterprise_attribute.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.enterprise_attribute.valid_from IS 'First day';
COMMENT ON COLUMN registry.enterprise_attribute.valid_to IS 'First day on which it no longer holds; null while it does';
COMMENT ON COLUMN registry.enterprise_attribute.name IS 'Registered name';
COMMENT ON COLUMN registry.enterprise_attribute.sector IS 'GB/T 4754-2017: section letter and up to 4 digits (C39, C3911); null when unknown';
COMMENT ON COLUMN registry.enterprise_attribute.size IS 'Statistical size class; unknown is a value of its own and never guessed';
COMMENT ON COLUMN registry.enterprise_attribute.registered_region IS
  'Administrative code of the registered address, 6 (district) or 12 digits (town); null when unknown';
COMMENT ON COLUMN registry.enterprise_attribute.statistical_region IS
  'Administrative code of the place the statistics count it in, 6 or 12 digits; null when unknown';
COMMENT ON COLUMN registry.enterprise_attribute.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.enterprise_attribute.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.enterprise_attribute.recorded_at IS 'When we came to know it';

CREATE TABLE registry.enterprise_area (
  uscc text NOT NULL REFERENCES registry.enterprise,
  area text NOT NULL REFERENCES registry.area,
  valid_from date NOT NULL,
  valid_to date,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, area, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (uscc WITH =, area WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX enterprise_area_area ON registry.enterprise_area (area);
COMMENT ON TABLE registry.enterprise_area IS 'Where an enterprise operates: towns, zones, parks; several at once, or none';
COMMENT ON COLUMN registry.enterprise_area.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.enterprise_area.area IS 'An area it operates in';
COMMENT ON COLUMN registry.enterprise_area.valid_from IS 'First day';
COMMENT ON COLUMN registry.enterprise_area.valid_to IS 'First day on which it no longer holds; null while it does';
COMMENT ON COLUMN registry.enterprise_area.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.enterprise_area.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.enterprise_area.recorded_at IS 'When we came to know it';

CREATE TABLE registry.roster (
  roster text NOT NULL CHECK (roster IN ('industry_above_scale', 'large_enterprises')),
  uscc text NOT NULL REFERENCES registry.enterprise,
  valid_from date NOT NULL CHECK (extract(day FROM valid_from) = 1),
  valid_to date CHECK (extract(day FROM valid_to) = 1),
  reason text,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (roster, uscc, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (roster WITH =, uscc WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.roster IS 'Lists of the statistics, by month';
COMMENT ON COLUMN registry.roster.roster IS
  'industry_above_scale: 规模以上工业 (sections B, C, D; ≥ 2000 万元); large_enterprises: the year''s list of large enterprises';
COMMENT ON COLUMN registry.roster.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.roster.valid_from IS 'First month on the list, as its first day';
COMMENT ON COLUMN registry.roster.valid_to IS 'First month no longer on the list, as its first day; null while on it';
COMMENT ON COLUMN registry.roster.reason IS 'Why it entered or left: new, grown, shrunk, closed, moved …';
COMMENT ON COLUMN registry.roster.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.roster.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.roster.recorded_at IS 'When we came to know it';

-- Platforms and questionnaires ----------------------------------------------------------------------------------------

CREATE TABLE registry.platform (
  platform text PRIMARY KEY CHECK (platform ~ '^[a-z0-9][a-z0-9-]{0,39}$')
);
COMMENT ON TABLE registry.platform IS 'Industrial internet platforms by name of ours';
COMMENT ON COLUMN registry.platform.platform IS 'Short name, for example cosmoplat';

CREATE TABLE registry.platform_attribute (
  platform text NOT NULL REFERENCES registry.platform,
  valid_from date NOT NULL,
  valid_to date,
  name_zh text NOT NULL,
  name_en text,
  operator text,
  recognised boolean NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (platform WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.platform_attribute IS 'Name and standing of a platform, dated';
COMMENT ON COLUMN registry.platform_attribute.platform IS 'The platform';
COMMENT ON COLUMN registry.platform_attribute.valid_from IS 'First day';
COMMENT ON COLUMN registry.platform_attribute.valid_to IS 'First day on which it no longer holds; null while it does';
COMMENT ON COLUMN registry.platform_attribute.name_zh IS 'Chinese name';
COMMENT ON COLUMN registry.platform_attribute.name_en IS 'English name, when there is one';
COMMENT ON COLUMN registry.platform_attribute.operator IS 'Who runs it';
COMMENT ON COLUMN registry.platform_attribute.recognised IS 'Whether its roster counts as attestation of onboarding';
COMMENT ON COLUMN registry.platform_attribute.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.platform_attribute.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.platform_attribute.recorded_at IS 'When we came to know it';

CREATE TABLE registry.platform_member (
  platform text NOT NULL REFERENCES registry.platform,
  uscc text NOT NULL REFERENCES registry.enterprise,
  grade text NOT NULL CHECK (grade IN ('platform_attested', 'contract')),
  valid_from date NOT NULL,
  valid_to date,
  state text NOT NULL CHECK (state IN ('registered', 'connected', 'active', 'dormant', 'withdrawn')),
  attested_on date NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (platform, uscc, grade, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (platform WITH =, uscc WITH =, grade WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX platform_member_uscc ON registry.platform_member (uscc);
COMMENT ON TABLE registry.platform_member IS 'Enterprises on a platform, by grade of evidence; a change of state is a new row';
COMMENT ON COLUMN registry.platform_member.platform IS 'The platform';
COMMENT ON COLUMN registry.platform_member.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.platform_member.grade IS 'platform_attested: on the platform''s roster; contract: shown by a contract';
COMMENT ON COLUMN registry.platform_member.valid_from IS 'First day in this state';
COMMENT ON COLUMN registry.platform_member.valid_to IS 'First day no longer in this state; null while in it';
COMMENT ON COLUMN registry.platform_member.state IS 'registered, connected, active, dormant or withdrawn';
COMMENT ON COLUMN registry.platform_member.attested_on IS 'Date of the roster or contract that says so';
COMMENT ON COLUMN registry.platform_member.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.platform_member.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.platform_member.recorded_at IS 'When we came to know it';

CREATE TABLE registry.questionnaire_result (
  uscc text NOT NULL REFERENCES registry.enterprise,
  instrument text NOT NULL CHECK (instrument IN ('miit', 'gbt39116', 'gbt43439', 'gbt23020')),
  edition text NOT NULL,
  evidence text NOT NULL CHECK (evidence IN ('certified_diagnosis', 'onsite', 'self_assessment')),
  assessed_on date NOT NULL,
  withdrawn_on date,
  level smallint NOT NULL CHECK (level BETWEEN 0 AND 5),
  score numeric CHECK (score BETWEEN 0 AND 100),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, instrument, edition, evidence, assessed_on),
  CHECK (assessed_on < withdrawn_on)
);
COMMENT ON TABLE registry.questionnaire_result IS 'Results of digital-maturity assessments; an enterprise may have several';
COMMENT ON COLUMN registry.questionnaire_result.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.questionnaire_result.instrument IS
  'miit (中小企业数字化水平评测指标), gbt39116 (智能制造能力成熟度), gbt43439 (数字化转型成熟度), gbt23020 (两化融合)';
COMMENT ON COLUMN registry.questionnaire_result.edition IS 'Edition of the instrument: 2022, 2024 …';
COMMENT ON COLUMN registry.questionnaire_result.evidence IS 'certified_diagnosis, onsite or self_assessment';
COMMENT ON COLUMN registry.questionnaire_result.assessed_on IS 'Day of the assessment, from which the result holds';
COMMENT ON COLUMN registry.questionnaire_result.withdrawn_on IS 'Day from which the result no longer holds; null while it does';
COMMENT ON COLUMN registry.questionnaire_result.level IS 'Level reached; 0 is below the first';
COMMENT ON COLUMN registry.questionnaire_result.score IS 'Points, when the instrument gives them';
COMMENT ON COLUMN registry.questionnaire_result.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.questionnaire_result.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.questionnaire_result.recorded_at IS 'When we came to know it';

CREATE TABLE registry.consent (
  uscc text NOT NULL REFERENCES registry.enterprise,
  purpose text NOT NULL CHECK (purpose IN ('statistics', 'park_view')),
  valid_from date NOT NULL,
  valid_to date,
  document text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, purpose, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (uscc WITH =, purpose WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.consent IS 'What an enterprise lets its readings be used for; without a row, nothing';
COMMENT ON COLUMN registry.consent.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.consent.purpose IS
  'statistics: panels of the district; park_view: shown to its park''s operator';
COMMENT ON COLUMN registry.consent.valid_from IS 'First day';
COMMENT ON COLUMN registry.consent.valid_to IS 'Day of withdrawal, from which it counts nowhere; null while it holds';
COMMENT ON COLUMN registry.consent.document IS 'The agreement';
COMMENT ON COLUMN registry.consent.legal_basis IS 'Why we may hold the row';
COMMENT ON COLUMN registry.consent.source IS 'Document or register it is taken from';
COMMENT ON COLUMN registry.consent.recorded_at IS 'When we came to know it';
