-- What the statistics measure, and how amounts of one kind are brought to one unit.

CREATE TABLE stats.variable (
  variable text PRIMARY KEY CHECK (variable ~ '^[a-z][a-z0-9_]{0,63}$'),
  name_zh text NOT NULL,
  name_en text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('total', 'balance', 'level', 'ratio', 'share', 'change', 'rank')),
  change_of text CHECK (change_of IS NULL OR kind = 'change'),
  units text NOT NULL,
  scopes text NOT NULL,
  price_bases text NOT NULL,
  subjects text NOT NULL CHECK (subjects IN ('region', 'enterprise', 'either')),
  note text
);
COMMENT ON TABLE stats.variable IS
  'What stats.observation may measure; an import refuses a row whose variable, unit, scope, price basis or subject is none of these';
COMMENT ON COLUMN stats.variable.variable IS 'Name of ours, as in stats.observation';
COMMENT ON COLUMN stats.variable.name_zh IS 'Chinese name, the one of the publications';
COMMENT ON COLUMN stats.variable.name_en IS 'English name';
COMMENT ON COLUMN stats.variable.kind IS
  'total (adds up over subjects and time), balance (a total that may be negative), level (at the end or on average), ratio, share (percent of a whole), change (against the year before, in percent, a fall is negative), rank';
COMMENT ON COLUMN stats.variable.change_of IS 'Of a change: the variable that changed';
COMMENT ON COLUMN stats.variable.units IS 'Units allowed, the usual one first, separated by spaces';
COMMENT ON COLUMN stats.variable.scopes IS 'Scopes allowed, separated by spaces';
COMMENT ON COLUMN stats.variable.price_bases IS 'Price bases allowed, separated by spaces';
COMMENT ON COLUMN stats.variable.subjects IS 'Whether of a region, of an enterprise, or of either';
COMMENT ON COLUMN stats.variable.note IS 'What it must not be taken for';

CREATE FUNCTION stats.unit_size(unit text, OUT dimension text, OUT size numeric)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $body$
    SELECT known.dimension, known.size
    FROM (VALUES
      ('cny', 'CNY', 1), ('10k_cny', 'CNY', 10000), ('100m_cny', 'CNY', 100000000),
      ('usd', 'USD', 1), ('10k_usd', 'USD', 10000), ('100m_usd', 'USD', 100000000),
      ('kgce', 'kgce', 1), ('tce', 'kgce', 1000), ('10k_tce', 'kgce', 10000000),
      ('kWh', 'kWh', 1), ('MWh', 'kWh', 1000), ('10k_kWh', 'kWh', 10000), ('100m_kWh', 'kWh', 100000000),
      ('m3', 'm3', 1), ('10k_m3', 'm3', 10000), ('100m_m3', 'm3', 100000000),
      ('MJ', 'MJ', 1), ('GJ', 'MJ', 1000), ('10k_GJ', 'MJ', 10000000),
      ('kg', 'kg', 1), ('t', 'kg', 1000), ('10k_t', 'kg', 10000000),
      ('kgCO2', 'kgCO2', 1), ('tCO2', 'kgCO2', 1000), ('10k_tCO2', 'kgCO2', 10000000),
      ('person', 'person', 1), ('10k_person', 'person', 10000),
      ('count', 'count', 1), ('10k_count', 'count', 10000)
    ) AS known (unit, dimension, size)
    WHERE known.unit = $1
  $body$;
COMMENT ON FUNCTION stats.unit_size IS 'What a unit measures and how large it is against the smallest of its kind; null for a unit without fellows';

CREATE FUNCTION stats.in_unit(value numeric, unit text, wanted text) RETURNS numeric
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN unit = wanted THEN value ELSE (
    SELECT trim_scale(CASE WHEN f.size >= t.size THEN value * div(f.size, t.size) ELSE value * (1 / div(t.size, f.size)) END)
    FROM stats.unit_size(unit) AS f, stats.unit_size(wanted) AS t
    WHERE f.dimension = t.dimension
  ) END;
COMMENT ON FUNCTION stats.in_unit IS 'A value brought to another unit of the same kind, exactly; null when the two are of different kinds';
