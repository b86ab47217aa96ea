-- The roster at the end of the period, of the sectors asked for (none: all), and for each enterprise the result that
-- decides; beside it, who was assessed and is not on the roster.
WITH roster AS (
  SELECT uscc, valid_from, source, legal_basis
  FROM registry.roster_as_of(%(as_of)s)
  WHERE roster = %(roster)s AND daterange(valid_from, valid_to) @> %(period_last)s::date
),
large AS (
  SELECT uscc
  FROM registry.roster_as_of(%(as_of)s)
  WHERE roster = %(large_roster)s AND daterange(valid_from, valid_to) @> %(period_last)s::date
),
result AS (
  SELECT
    q.*,
    l.uscc IS NOT NULL AS of_large,
    %(expiry_months)s = 0
      OR q.assessed_on >= %(period_last)s::date - make_interval(months => %(expiry_months)s) AS fresh,
    q.instrument = CASE WHEN l.uscc IS NULL THEN %(sme_instrument)s ELSE %(large_instrument)s END AS right_instrument,
    q.level >= CASE WHEN l.uscc IS NULL THEN %(sme_min_level)s ELSE %(large_min_level)s END AS high_enough
  FROM registry.questionnaire_result_as_of(%(as_of)s) AS q
  LEFT JOIN large AS l USING (uscc)
  WHERE daterange(q.assessed_on, q.withdrawn_on) @> %(period_last)s::date
    AND array_position(%(evidence_priority)s, q.evidence) IS NOT NULL
),
decisive AS (
  -- One that has not expired, the right instrument first, then the better evidence, then the later day.
  SELECT DISTINCT ON (uscc) *
  FROM result
  ORDER BY uscc, fresh DESC, right_instrument DESC, array_position(%(evidence_priority)s, evidence), assessed_on DESC, edition DESC
),
described AS (
  SELECT a.uscc, a.sector, a.size
  FROM registry.enterprise_attribute_as_of(%(as_of)s) AS a
  WHERE daterange(a.valid_from, a.valid_to) @> %(period_last)s::date
),
reasoned AS (
  SELECT
    uscc,
    r.uscc IS NOT NULL AND (%(sectors)s::text[] = '{}'
      OR EXISTS (SELECT FROM unnest(%(sectors)s::text[]) AS wanted WHERE starts_with(a.sector, wanted))) AS on_roster,
    CASE
      WHEN r.uscc IS NULL THEN 'not_on_roster'
      WHEN %(sectors)s::text[] <> '{}' AND a.sector IS NULL THEN 'sector_unknown'
      WHEN %(sectors)s::text[] <> '{}'
        AND NOT EXISTS (SELECT FROM unnest(%(sectors)s::text[]) AS wanted WHERE starts_with(a.sector, wanted))
        THEN 'other_sector'
      WHEN d.uscc IS NULL THEN 'not_assessed'
      WHEN NOT d.fresh THEN 'expired'
      WHEN %(diagnosis_suffices)s THEN 'qualified'
      WHEN NOT d.right_instrument THEN 'wrong_instrument'
      WHEN NOT d.high_enough THEN 'level_too_low'
      ELSE 'qualified'
    END AS reason,
    coalesce(d.assessed_on, r.valid_from) AS since,
    jsonb_strip_nulls(jsonb_build_object(
      'assessed', d.uscc IS NOT NULL AND d.fresh,
      'instrument', d.instrument,
      'edition', d.edition,
      'evidence', d.evidence,
      'level', d.level,
      'stale', d.assessed_on < %(period_last)s::date - make_interval(months => %(stale_months)s)
    )) AS detail,
    concat_ws('; ', r.source, d.source) AS source,
    indicator.basis(
      greatest(indicator.strictness(r.legal_basis), indicator.strictness(d.legal_basis))
    ) AS legal_basis
  FROM roster AS r
  FULL JOIN decisive AS d USING (uscc)
  LEFT JOIN described AS a USING (uscc)
)
SELECT
  uscc AS member,
  CASE
    WHEN NOT on_roster THEN 'excluded'
    WHEN reason = 'qualified' THEN 'numerator'
    WHEN %(denominator)s = 'diagnosed_only' AND reason IN ('not_assessed', 'expired') THEN 'excluded'
    ELSE 'denominator'
  END AS counted,
  reason,
  since,
  NULL::numeric AS amount,
  NULL::numeric AS weight,
  detail,
  source,
  legal_basis
FROM reasoned
