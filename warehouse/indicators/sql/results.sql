-- Of every result the version that was current at a time, newest period first. Of now also: whether its inputs changed.
SELECT DISTINCT ON (c.plan, r.indicator, r.scope, r.period_end, r.period_type)
  r.result_id, r.indicator, c.name_zh, c.name_en, r.scope, r.period, r.version, r.as_of, r.value, r.unit, r.numerator,
  r.denominator, r.coverage, r.progress, r.expected_progress, r.status, r.status_reason, r.status_reason_zh, r.light,
  r.label, r.detail, r.rule, r.rule_digest, r.target_version, t.value AS target, r.factor_set, r.factor_set_version,
  r.vintage, r.evidence_digest, r.legal_basis, r.changed, r.computed_at, c.entry, d.since AS revised_since,
  d.first_day AS revised_first_day, d.last_day AS revised_last_day
FROM indicator.result AS r
JOIN indicator.catalogue AS c USING (indicator)
LEFT JOIN indicator.target AS t ON t.indicator = r.indicator AND t.version = r.target_version
LEFT JOIN indicator.due AS d
  ON d.indicator = r.indicator AND d.scope = r.scope AND d.period_type = r.period_type AND d.period = r.period
  AND %(as_of)s::timestamptz IS NULL
WHERE (%(indicator)s::text IS NULL OR r.indicator = %(indicator)s)
  AND (%(period)s::text IS NULL OR r.period = %(period)s)
  AND (%(as_of)s::timestamptz IS NULL OR r.as_of <= %(as_of)s)
ORDER BY c.plan, r.indicator, r.scope, r.period_end DESC, r.period_type, r.as_of DESC, r.version DESC
