-- The yearly changes of energy per value added: the chain of the rule's electricity basis, the other basis and the chains
-- after deductions beside it; one year of one chain is one member.
WITH asked AS (
  SELECT extract(year FROM %(plan_start)s::date)::int AS first_year
),
said AS (
  SELECT c.*
  FROM asked AS a
  CROSS JOIN LATERAL indicator.energy_change(
    %(as_of)s, %(region)s, %(scope)s, a.first_year, %(year)s, %(ytd_periods)s::text[], %(levels_allowed)s) AS c
),
basis AS (
  SELECT DISTINCT ON (f.electricity_basis) f.electricity_basis, f.price_basis
  FROM (
    SELECT s.electricity_basis, s.price_basis, count(*) AS years,
      count(*) FILTER (WHERE s.method = 'published') AS published
    FROM said AS s
    WHERE s.price_basis = ANY(%(price_bases)s::text[])
    GROUP BY s.electricity_basis, s.price_basis
  ) AS f
  ORDER BY f.electricity_basis, f.years DESC, f.published DESC, array_position(%(price_bases)s::text[], f.price_basis)
),
moved AS (
  -- The enterprise set that the bureau's figures are of: who entered and who left it in the year.
  SELECT y AS year,
    count(*) FILTER (WHERE r.valid_from >= make_date(y, 1, 1) AND r.valid_from < make_date(y + 1, 1, 1)) AS entered,
    count(*) FILTER (WHERE r.valid_to > make_date(y, 1, 1) AND r.valid_to <= make_date(y + 1, 1, 1)) AS gone
  FROM asked AS a
  CROSS JOIN generate_series(a.first_year, %(year)s) AS y
  CROSS JOIN registry.roster_as_of(%(as_of)s) AS r
  WHERE r.roster = %(roster)s
  GROUP BY y
),
chained AS (
  SELECT
    concat_ws(' ', s.year, s.electricity_basis, s.price_basis) AS member,
    CASE
      WHEN b.price_basis IS NULL THEN 'excluded'
      WHEN s.electricity_basis = %(electricity_basis)s THEN 'numerator'
      ELSE 'apart'
    END AS counted,
    CASE WHEN b.price_basis IS NULL THEN 'other_price_basis' ELSE s.method END AS reason,
    s.change AS amount,
    jsonb_strip_nulls(jsonb_build_object(
      'year', s.year, 'chain', s.electricity_basis, 'price_basis', s.price_basis, 'method', s.method,
      'energy_change', s.energy_change::text, 'real_growth', s.real_growth::text, 'provisional', s.provisional,
      'vintage', s.vintage, 'entered_roster', m.entered, 'left_roster', m.gone
    )) AS detail,
    s.source,
    s.legal_basis
  FROM said AS s
  LEFT JOIN basis AS b ON b.electricity_basis = s.electricity_basis AND b.price_basis = s.price_basis
  LEFT JOIN moved AS m ON m.year = s.year
),
level AS (
  SELECT p.variable, extract(year FROM p.period_start)::int AS year, p.period_end, stats.in_unit(p.value, p.unit, 'tce') AS tce,
    p.legal_basis, p.source
  FROM asked AS a
  CROSS JOIN LATERAL indicator.published(
    %(as_of)s, %(region)s, ARRAY['energy_consumption', 'feedstock_energy', 'non_fossil_energy'],
    array_fill(%(scope)s::text, ARRAY[3]), indicator.whole_years(a.first_year - 1, %(year)s)) AS p
  WHERE p.price_basis = 'none'
),
deducted AS (
  -- Deductions in base and report year alike; assessment rules that stand beside, never inside.
  SELECT
    concat_ws(' ', now.year, d.deduction) AS member,
    'apart' AS counted,
    'deduction' AS reason,
    100 * (round(now.tce - off_now.tce, 40) / (before.tce - off_before.tce) / (1 + (c.detail ->> 'real_growth')::numeric / 100) - 1)
      AS amount,
    jsonb_build_object('year', now.year, 'chain', d.deduction, 'real_growth', c.detail ->> 'real_growth') AS detail,
    concat_ws('; ', now.source, nullif(off_now.source, now.source)) AS source,
    indicator.basis(greatest(
      indicator.strictness(now.legal_basis), indicator.strictness(off_now.legal_basis),
      indicator.strictness(off_before.legal_basis))) AS legal_basis
  FROM (VALUES ('feedstock', 'feedstock_energy'), ('non_fossil_2024', 'non_fossil_energy')) AS d (deduction, variable)
  JOIN level AS now ON now.variable = 'energy_consumption'
  JOIN level AS before ON before.variable = 'energy_consumption' AND before.year = now.year - 1
  JOIN level AS off_now ON off_now.variable = d.variable AND off_now.year = now.year
  JOIN level AS off_before ON off_before.variable = d.variable AND off_before.year = now.year - 1
  JOIN chained AS c
    ON c.counted = 'numerator' AND c.detail ->> 'year' = now.year::text AND c.detail ->> 'real_growth' IS NOT NULL
  WHERE before.tce > off_before.tce
)
SELECT member, counted, reason, NULL::date AS since, amount, NULL::numeric AS weight, detail, source, legal_basis
FROM chained
UNION ALL
SELECT member, counted, reason, NULL::date, amount, NULL::numeric, detail, source, legal_basis
FROM deducted
