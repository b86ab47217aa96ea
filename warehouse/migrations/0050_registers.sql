-- Registers that the plan's indicators are computed from: clusters, recognitions, projects, land, standards, figures of
-- single enterprises and the rule that makes a size of them.

-- Clusters ------------------------------------------------------------------------------------------------------------

CREATE TABLE registry.cluster (
  cluster text PRIMARY KEY CHECK (cluster ~ '^[a-z0-9][a-z0-9-]{0,39}$')
);
COMMENT ON TABLE registry.cluster IS 'Industrial clusters (产业集群) by name of ours';
COMMENT ON COLUMN registry.cluster.cluster IS 'Short name, for example new-materials';

CREATE TABLE registry.cluster_attribute (
  cluster text NOT NULL REFERENCES registry.cluster,
  valid_from date NOT NULL,
  valid_to date,
  name_zh text NOT NULL,
  name_en text,
  tier text CHECK (tier IN ('100bn', '10bn')),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (cluster, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (cluster WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.cluster_attribute IS 'Name and tier of a cluster (产业集群), dated';
COMMENT ON COLUMN registry.cluster_attribute.cluster IS 'The cluster';
COMMENT ON COLUMN registry.cluster_attribute.name_zh IS 'Chinese name';
COMMENT ON COLUMN registry.cluster_attribute.name_en IS 'English name, when there is one';
COMMENT ON COLUMN registry.cluster_attribute.tier IS 'What the plan wants it to become: 100bn (千亿级), 10bn (百亿级)';

CREATE TABLE registry.cluster_member (
  uscc text NOT NULL REFERENCES registry.enterprise,
  valid_from date NOT NULL,
  valid_to date,
  cluster text NOT NULL REFERENCES registry.cluster,
  role text NOT NULL CHECK (role IN ('lead', 'core', 'supporting', 'service')),
  main_product_share numeric(5, 2) CHECK (main_product_share BETWEEN 0 AND 100),
  document text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (uscc WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX cluster_member_cluster ON registry.cluster_member (cluster);
COMMENT ON TABLE registry.cluster_member IS
  'The list of each cluster (集群名单): an enterprise is in one cluster at a time, so that sums count it once';
COMMENT ON COLUMN registry.cluster_member.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.cluster_member.cluster IS 'The one cluster whose sums it counts in';
COMMENT ON COLUMN registry.cluster_member.role IS 'lead (链主、龙头), core (骨干), supporting (配套), service (服务)';
COMMENT ON COLUMN registry.cluster_member.main_product_share IS
  'Share of the cluster''s products in its output, percent (主导产品产值占比); null when not declared';
COMMENT ON COLUMN registry.cluster_member.document IS 'The document that lists it';

CREATE TABLE registry.cluster_tag (
  uscc text NOT NULL REFERENCES registry.enterprise,
  cluster text NOT NULL REFERENCES registry.cluster,
  valid_from date NOT NULL,
  valid_to date,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, cluster, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (uscc WITH =, cluster WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.cluster_tag IS
  'Further clusters an enterprise has to do with (标签): for browsing only, counted in no sum';
COMMENT ON COLUMN registry.cluster_tag.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.cluster_tag.cluster IS 'A cluster it has to do with';

-- Recognitions, projects, standards, land -----------------------------------------------------------------------------

CREATE TABLE registry.recognition (
  uscc text NOT NULL REFERENCES registry.enterprise,
  kind text NOT NULL CHECK (kind IN (
    'enterprise_tech_center', 'tech_innovation_center', 'srdi', 'headquarters', 'green_factory', 'benchmark_factory',
    'benchmark_workshop', 'benchmark_scene', 'benchmark_platform', 'brand_demo', 'shanghai_brand')),
  level text NOT NULL CHECK (level IN ('national', 'municipal', 'district')),
  item text,
  valid_from date NOT NULL,
  valid_to date,
  batch text,
  document text NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (uscc, kind, level, item, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (
    uscc WITH =, kind WITH =, level WITH =, (coalesce(item, '')) WITH =, daterange(valid_from, valid_to) WITH &&
  ) DEFERRABLE
);
CREATE INDEX recognition_kind ON registry.recognition (kind, level, valid_from);
COMMENT ON TABLE registry.recognition IS 'What enterprises were recognised as (认定), from when, and until when';
COMMENT ON COLUMN registry.recognition.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.recognition.kind IS
  'enterprise_tech_center (企业技术中心), tech_innovation_center (技术创新中心), srdi (专精特新), headquarters (企业总部), green_factory (绿色工厂), benchmark_factory / _workshop / _scene / _platform (标杆工厂、车间、场景、平台), brand_demo (品牌引领示范), shanghai_brand (“上海品牌”认证)';
COMMENT ON COLUMN registry.recognition.level IS
  'national (国家级; with srdi: 小巨人), municipal (市级), district (区级)';
COMMENT ON COLUMN registry.recognition.item IS 'Which workshop, scene, platform or brand; null when it is the enterprise itself';
COMMENT ON COLUMN registry.recognition.batch IS 'Batch or year (批次)';
COMMENT ON COLUMN registry.recognition.document IS 'The notice that recognises it (认定文件)';

CREATE TABLE registry.project (
  project text NOT NULL CHECK (length(project) BETWEEN 1 AND 64),
  valid_from date NOT NULL,
  valid_to date,
  kind text NOT NULL CHECK (kind IN ('restructuring', 'tech_upgrade', 'ii_5g')),
  uscc text NOT NULL REFERENCES registry.enterprise,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN ('planned', 'approved', 'under_way', 'completed', 'cancelled')),
  investment_10k_cny numeric(16, 6) CHECK (investment_10k_cny >= 0),
  started_on date,
  completed_on date,
  document text,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (project, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (started_on <= completed_on),
  CHECK ((state = 'completed') = (completed_on IS NOT NULL)),
  EXCLUDE USING gist (project WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
CREATE INDEX project_uscc ON registry.project (uscc);
COMMENT ON TABLE registry.project IS 'Projects of enterprises (项目), by state; a change of state is a further row';
COMMENT ON COLUMN registry.project.project IS 'Its code in the register of projects (项目代码)';
COMMENT ON COLUMN registry.project.kind IS
  'restructuring (产业结构调整), tech_upgrade (技术改造), ii_5g (5G+工业互联网)';
COMMENT ON COLUMN registry.project.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.project.name IS 'Name of the project';
COMMENT ON COLUMN registry.project.state IS
  'planned (拟建), approved (已立项), under_way (在建), completed (完成), cancelled (取消)';
COMMENT ON COLUMN registry.project.investment_10k_cny IS 'Total investment (总投资), 万元, exact; null when unknown';
COMMENT ON COLUMN registry.project.started_on IS 'Day it began';
COMMENT ON COLUMN registry.project.completed_on IS 'Day it was completed or accepted (完成、验收); with state completed only';
COMMENT ON COLUMN registry.project.document IS 'Approval or acceptance';

CREATE TABLE registry.standard_participation (
  uscc text NOT NULL REFERENCES registry.enterprise,
  standard text NOT NULL CHECK (length(standard) BETWEEN 1 AND 64),
  valid_from date NOT NULL,
  valid_to date,
  title text NOT NULL,
  level text NOT NULL CHECK (level IN ('international', 'national', 'industry', 'local', 'group')),
  role text NOT NULL CHECK (role IN ('lead', 'participant')),
  revision boolean NOT NULL,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, standard, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (uscc WITH =, standard WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.standard_participation IS 'Standards that enterprises took part in making or revising (参与标准制修订)';
COMMENT ON COLUMN registry.standard_participation.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.standard_participation.standard IS 'Number of the standard: GB/T 4754-2017';
COMMENT ON COLUMN registry.standard_participation.title IS 'Its title';
COMMENT ON COLUMN registry.standard_participation.level IS
  'international (国际), national (国家), industry (行业), local (地方), group (团体)';
COMMENT ON COLUMN registry.standard_participation.role IS 'lead (牵头、第一起草单位), participant (参与)';
COMMENT ON COLUMN registry.standard_participation.revision IS 'False: a new standard (制定); true: a revised one (修订)';

CREATE TABLE registry.park_land (
  area text NOT NULL REFERENCES registry.area,
  valid_from date NOT NULL,
  valid_to date,
  supplied_km2 numeric(14, 6) NOT NULL CHECK (supplied_km2 >= 0),
  document text,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (area, valid_from),
  CHECK (valid_from < valid_to),
  EXCLUDE USING gist (area WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.park_land IS 'Industrial land supplied in a park (已供应工业用地), dated';
COMMENT ON COLUMN registry.park_land.area IS 'The park or zone';
COMMENT ON COLUMN registry.park_land.supplied_km2 IS 'Industrial land supplied so far, km²';
COMMENT ON COLUMN registry.park_land.document IS 'Document it stands in';

-- Size by rule --------------------------------------------------------------------------------------------------------

CREATE TABLE registry.enterprise_figure (
  uscc text NOT NULL REFERENCES registry.enterprise,
  valid_from date NOT NULL,
  valid_to date,
  employees int CHECK (employees >= 0),
  revenue_10k_cny numeric(16, 6),
  assets_10k_cny numeric(16, 6) CHECK (assets_10k_cny >= 0),
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (uscc, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (num_nonnulls(employees, revenue_10k_cny, assets_10k_cny) > 0),
  EXCLUDE USING gist (uscc WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.enterprise_figure IS
  'Figures of an enterprise that decide its size (划型指标), dated: those of a year hold until the next are known';
COMMENT ON COLUMN registry.enterprise_figure.uscc IS 'The enterprise';
COMMENT ON COLUMN registry.enterprise_figure.employees IS 'Employees (从业人员), people; null when unknown';
COMMENT ON COLUMN registry.enterprise_figure.revenue_10k_cny IS 'Yearly revenue (营业收入), 万元; null when unknown';
COMMENT ON COLUMN registry.enterprise_figure.assets_10k_cny IS 'Total assets (资产总额), 万元; null when unknown';

CREATE TABLE registry.size_rule (
  rule text NOT NULL CHECK (rule ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  sector text NOT NULL CHECK (sector ~ '^[A-T][0-9]{0,4}$'),
  valid_from date NOT NULL,
  valid_to date,
  name_zh text NOT NULL,
  employees_large int, employees_medium int, employees_small int,
  revenue_large numeric, revenue_medium numeric, revenue_small numeric,
  assets_large numeric, assets_medium numeric, assets_small numeric,
  legal_basis registry.legal_basis NOT NULL,
  source text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (rule, sector, valid_from),
  CHECK (valid_from < valid_to),
  CHECK (num_nulls(employees_large, employees_medium, employees_small) IN (0, 3)),
  CHECK (num_nulls(revenue_large, revenue_medium, revenue_small) IN (0, 3)),
  CHECK (num_nulls(assets_large, assets_medium, assets_small) IN (0, 3)),
  CHECK (num_nonnulls(employees_large, revenue_large, assets_large) > 0),
  CHECK (employees_large > employees_medium AND employees_medium > employees_small),
  CHECK (revenue_large > revenue_medium AND revenue_medium > revenue_small),
  CHECK (assets_large > assets_medium AND assets_medium > assets_small),
  EXCLUDE USING gist (rule WITH =, sector WITH =, daterange(valid_from, valid_to) WITH &&) DEFERRABLE
);
COMMENT ON TABLE registry.size_rule IS
  'Thresholds of size by sector (大中小微企业划型标准): a size needs every threshold that its sector has, else one step down';
COMMENT ON COLUMN registry.size_rule.rule IS 'The rule: miit-2011-300 is 工信部联企业〔2011〕300号';
COMMENT ON COLUMN registry.size_rule.sector IS 'Beginning of a GB/T 4754-2017 code; the longest that fits an enterprise''s sector counts';
COMMENT ON COLUMN registry.size_rule.name_zh IS 'Name of the group of sectors in the rule';
COMMENT ON COLUMN registry.size_rule.employees_large IS 'Employees from which large (大型); null when the rule does not ask for employees';
COMMENT ON COLUMN registry.size_rule.employees_medium IS 'Employees from which medium (中型)';
COMMENT ON COLUMN registry.size_rule.employees_small IS 'Employees from which small (小型); below is micro (微型)';
COMMENT ON COLUMN registry.size_rule.revenue_large IS 'Yearly revenue from which large, 万元; null when the rule does not ask for revenue';
COMMENT ON COLUMN registry.size_rule.revenue_medium IS 'Yearly revenue from which medium, 万元';
COMMENT ON COLUMN registry.size_rule.revenue_small IS 'Yearly revenue from which small, 万元';
COMMENT ON COLUMN registry.size_rule.assets_large IS 'Total assets from which large, 万元; null when the rule does not ask for assets';
COMMENT ON COLUMN registry.size_rule.assets_medium IS 'Total assets from which medium, 万元';
COMMENT ON COLUMN registry.size_rule.assets_small IS 'Total assets from which small, 万元';

-- History and shared columns ------------------------------------------------------------------------------------------

CREATE PROCEDURE registry.keep_history(name text) LANGUAGE plpgsql AS $$
DECLARE
  shared record;
BEGIN
  EXECUTE format(
    'CREATE TRIGGER keep_superseded BEFORE UPDATE OR DELETE ON registry.%I
       FOR EACH ROW EXECUTE FUNCTION registry.keep_superseded()', name);
  EXECUTE format($f$
    CREATE FUNCTION registry.%1$I(known_at timestamptz) RETURNS SETOF registry.%2$I
      LANGUAGE sql STABLE PARALLEL SAFE
      AS $body$
        SELECT * FROM registry.%2$I WHERE recorded_at <= known_at
        UNION ALL
        SELECT past.* FROM registry.superseded s, jsonb_populate_record(NULL::registry.%2$I, s.row) AS past
        WHERE s.table_name = 'registry.%2$s' AND s.recorded_at <= known_at AND known_at < s.superseded_at
      $body$ $f$, name || '_as_of', name);
  EXECUTE format(
    'COMMENT ON FUNCTION registry.%I IS %L', name || '_as_of', format('registry.%s as it was known at that time', name));
  FOR shared IN
    SELECT a.attname, said.comment
    FROM pg_attribute a
    JOIN (VALUES
      ('valid_from', 'date', 'First day (起始日)'),
      ('valid_to', 'date', 'First day on which it no longer holds (失效日); null while it does'),
      ('valid_from', 'timestamptz', 'From when (起始时间)'),
      ('valid_to', 'timestamptz', 'Until when, exclusive (终止时间); null while it holds'),
      ('legal_basis', 'registry.legal_basis', 'Why we may hold the row (法律依据)'),
      ('source', 'text', 'Document or register it is taken from (来源)'),
      ('recorded_at', 'timestamptz', 'When we came to know it (入库时间)')
    ) AS said (attname, type, comment) ON a.attname = said.attname AND a.atttypid = said.type::regtype
    WHERE a.attrelid = format('registry.%I', name)::regclass
      AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL
  LOOP
    EXECUTE format('COMMENT ON COLUMN registry.%I.%I IS %L', name, shared.attname, shared.comment);
  END LOOP;
END $$;
COMMENT ON PROCEDURE registry.keep_history IS
  'For migrations: gives a dated table of the registry its history, its _as_of function, and comments on shared columns';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'cluster_attribute', 'cluster_member', 'cluster_tag', 'recognition', 'project', 'standard_participation',
    'park_land', 'enterprise_figure', 'size_rule'
  ] LOOP
    CALL registry.keep_history(name);
  END LOOP;
END $$;

CREATE FUNCTION registry.enterprise_size(on_day date, known_at timestamptz DEFAULT 'infinity', by_rule text DEFAULT 'miit-2011-300')
  RETURNS TABLE (uscc text, size text, found text)
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    SELECT
      a.uscc,
      CASE
        WHEN a.size <> 'unknown' THEN a.size
        WHEN r.rule IS NULL
          OR (r.employees_large IS NOT NULL AND f.employees IS NULL)
          OR (r.revenue_large IS NOT NULL AND f.revenue_10k_cny IS NULL)
          OR (r.assets_large IS NOT NULL AND f.assets_10k_cny IS NULL) THEN 'unknown'
        WHEN coalesce(f.employees >= r.employees_large, true)
          AND coalesce(f.revenue_10k_cny >= r.revenue_large, true)
          AND coalesce(f.assets_10k_cny >= r.assets_large, true) THEN 'large'
        WHEN coalesce(f.employees >= r.employees_medium, true)
          AND coalesce(f.revenue_10k_cny >= r.revenue_medium, true)
          AND coalesce(f.assets_10k_cny >= r.assets_medium, true) THEN 'medium'
        WHEN coalesce(f.employees >= r.employees_small, true)
          AND coalesce(f.revenue_10k_cny >= r.revenue_small, true)
          AND coalesce(f.assets_10k_cny >= r.assets_small, true) THEN 'small'
        ELSE 'micro'
      END,
      CASE WHEN a.size <> 'unknown' THEN 'register' ELSE r.rule END
    FROM registry.enterprise_attribute_as_of(known_at) AS a
    LEFT JOIN registry.enterprise_figure_as_of(known_at) AS f
      ON f.uscc = a.uscc AND daterange(f.valid_from, f.valid_to) @> on_day
    LEFT JOIN LATERAL (
      SELECT s.* FROM registry.size_rule_as_of(known_at) AS s
      WHERE s.rule = by_rule AND starts_with(a.sector, s.sector) AND daterange(s.valid_from, s.valid_to) @> on_day
      ORDER BY length(s.sector) DESC LIMIT 1
    ) AS r ON true
    WHERE daterange(a.valid_from, a.valid_to) @> on_day
  $body$;
COMMENT ON FUNCTION registry.enterprise_size IS
  'Size of every enterprise on a day (企业规模): the register''s, else by rule from its figures, else unknown; found is register, the rule, or null when no rule covers its sector';
