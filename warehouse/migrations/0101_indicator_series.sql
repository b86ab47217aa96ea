-- What indicators take from published statistics: figures by period, and chains of yearly changes on one price basis.

CREATE FUNCTION indicator.published(
  known_at timestamptz, of_region text, of_variables text[], of_scopes text[], of_periods text[]
) RETURNS TABLE (
  variable text, scope text, price_basis text, period text, period_start date, period_end date, value numeric, unit text,
  vintage text, published_at date, legal_basis registry.legal_basis, source text, observation_id bigint
)
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    SELECT DISTINCT ON (o.variable, o.scope, o.price_basis, o.period_start, o.period_end)
      o.variable, o.scope, o.price_basis, o.period, o.period_start, o.period_end, o.value, o.unit, o.vintage,
      o.published_at, o.legal_basis, o.source, o.observation_id
    FROM stats.observation_as_of(known_at) AS o
    JOIN (SELECT DISTINCT w.variable, w.scope FROM unnest(of_variables, of_scopes) AS w (variable, scope)) AS w
      ON w.variable = o.variable AND w.scope = o.scope
    WHERE o.variable = ANY(of_variables) AND o.subject = of_region AND o.period = ANY(of_periods)
    ORDER BY o.variable, o.scope, o.price_basis, o.period_start, o.period_end, array_position(of_periods, o.period)
  $body$;
COMMENT ON FUNCTION indicator.published IS
  'Published figures (公布数据) of a region as known at a time: of each variable with its scope, price basis and period one, the form of the period that stands first in of_periods';

CREATE FUNCTION indicator.whole_years(first_year int, last_year int) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN ARRAY(SELECT y::text FROM generate_series(first_year, last_year) AS y)
    || ARRAY(SELECT y::text || '-01..12' FROM generate_series(first_year, last_year) AS y);
COMMENT ON FUNCTION indicator.whole_years IS 'Both ways in which statistics write whole years (全年): 2024 and 2024-01..12';

CREATE FUNCTION indicator.yearly_change(
  known_at timestamptz, of_region text, change_variable text, level_variable text, of_scope text,
  first_year int, last_year int, last_periods text[], levels_allowed boolean
) RETURNS TABLE (
  year int, price_basis text, change numeric, method text, provisional boolean, vintage text,
  legal_basis registry.legal_basis, source text, published_at date
)
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    WITH said AS (
      SELECT p.*
      FROM indicator.published(
        known_at, of_region, ARRAY[change_variable, level_variable], ARRAY[of_scope, of_scope],
        indicator.whole_years(first_year - 1, last_year - 1) || last_periods
          || ARRAY(SELECT (last_year - 1)::text || substr(l, 5) FROM unnest(last_periods) AS l)
      ) AS p
      WHERE extract(month FROM p.period_start) = 1
    ),
    step AS (
      -- Whole years, and of the last year what is asked for.
      SELECT
        y AS year, make_date(y, 1, 1) AS starts,
        CASE WHEN y < last_year THEN make_date(y + 1, 1, 1) ELSE (
          SELECT CASE WHEN l ~ '^\d{4}$' THEN make_date(y + 1, 1, 1)
                 ELSE (make_date(y, right(l, 2)::int, 1) + interval '1 month')::date END
          FROM unnest(last_periods) AS l LIMIT 1) END AS ends
      FROM generate_series(first_year, last_year) AS y
    ),
    published AS (
      SELECT s.year, p.price_basis, p.value AS change, s.ends <> make_date(s.year + 1, 1, 1) AS provisional,
        p.vintage, p.legal_basis, p.source, p.published_at
      FROM step AS s
      JOIN said AS p ON p.variable = change_variable AND p.period_start = s.starts AND p.period_end = s.ends
      WHERE p.unit = 'percent'
    )
    SELECT p.year, p.price_basis, p.change, 'published', p.provisional, p.vintage, p.legal_basis, p.source, p.published_at
    FROM published AS p
    UNION ALL
    SELECT
      s.year, l.price_basis, 100 * (round(stats.in_unit(l.value, l.unit, b.unit), 40) / b.value - 1), 'levels',
      s.ends <> make_date(s.year + 1, 1, 1), concat_ws(', ', l.vintage, nullif(b.vintage, l.vintage)),
      indicator.basis(greatest(indicator.strictness(l.legal_basis), indicator.strictness(b.legal_basis))),
      concat_ws('; ', l.source, nullif(b.source, l.source)), greatest(l.published_at, b.published_at)
    FROM step AS s
    JOIN said AS l ON l.variable = level_variable AND l.period_start = s.starts AND l.period_end = s.ends
    JOIN said AS b ON b.variable = level_variable AND b.price_basis = l.price_basis
      AND b.period_start = s.starts - interval '1 year' AND b.period_end = s.ends - interval '1 year'
    WHERE levels_allowed AND b.value > 0 AND stats.in_unit(l.value, l.unit, b.unit) IS NOT NULL
      AND NOT EXISTS (SELECT FROM published AS p WHERE p.year = s.year AND p.price_basis = l.price_basis)
  $body$;
COMMENT ON FUNCTION indicator.yearly_change IS
  'Yearly changes in percent (年度增速), a fall negative, by price basis: the published one, else from two levels of one basis. The last year may be a part, against the same part of the year before: provisional';

CREATE FUNCTION indicator.energy_change(
  known_at timestamptz, of_region text, of_scope text, first_year int, last_year int, last_periods text[],
  levels_allowed boolean
) RETURNS TABLE (
  year int, electricity_basis text, price_basis text, change numeric, method text, energy_change numeric,
  real_growth numeric, provisional boolean, vintage text, legal_basis registry.legal_basis, source text
)
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $body$
    WITH kind (electricity_basis, direct, energy_change, energy) AS (
      VALUES
        ('calorific', 'energy_intensity_change', 'energy_consumption_change', 'energy_consumption'),
        ('equivalent', 'energy_intensity_equivalent_change', 'energy_consumption_equivalent_change',
         'energy_consumption_equivalent')
    ),
    direct AS (
      SELECT k.electricity_basis, c.*
      FROM kind AS k
      CROSS JOIN LATERAL indicator.yearly_change(
        known_at, of_region, k.direct, NULL, of_scope, first_year, last_year, last_periods, false) AS c
      WHERE c.price_basis LIKE 'constant%'
    ),
    grown AS (
      SELECT c.*
      FROM indicator.yearly_change(
        known_at, of_region, 'industrial_value_added_change', 'industrial_value_added', of_scope, first_year, last_year,
        last_periods, levels_allowed) AS c
      WHERE c.price_basis LIKE 'constant%' AND c.change > -100
    ),
    used AS (
      SELECT k.electricity_basis, c.*
      FROM kind AS k
      CROSS JOIN LATERAL indicator.yearly_change(
        known_at, of_region, k.energy_change, k.energy, of_scope, first_year, last_year, last_periods, levels_allowed
      ) AS c
    )
    SELECT
      d.year, d.electricity_basis, d.price_basis, d.change, 'published', NULL::numeric, NULL::numeric, d.provisional,
      d.vintage, d.legal_basis, d.source
    FROM direct AS d
    UNION ALL
    SELECT
      u.year, u.electricity_basis, g.price_basis,
      100 * (round(1 + u.change / 100, 40) / (1 + g.change / 100) - 1),
      CASE WHEN 'levels' IN (u.method, g.method) THEN 'components_from_levels' ELSE 'components' END,
      u.change, g.change, u.provisional OR g.provisional, concat_ws(', ', u.vintage, nullif(g.vintage, u.vintage)),
      indicator.basis(greatest(indicator.strictness(u.legal_basis), indicator.strictness(g.legal_basis))),
      concat_ws('; ', u.source, nullif(g.source, u.source))
    FROM used AS u
    JOIN grown AS g ON g.year = u.year
    WHERE NOT EXISTS (
      SELECT FROM direct AS d
      WHERE d.year = u.year AND d.electricity_basis = u.electricity_basis AND d.price_basis = g.price_basis)
  $body$;
COMMENT ON FUNCTION indicator.energy_change IS
  'Yearly change of energy per value added (单位工业增加值能耗), percent, a fall negative, by electricity basis (当量值 calorific, 等价值 equivalent) and price basis: the published one, else (1 + e) / (1 + v) − 1 from growth of energy e and real growth of value added v';
