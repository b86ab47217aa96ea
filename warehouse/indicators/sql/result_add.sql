INSERT INTO indicator.result (
  indicator, scope, period_type, period, period_start, period_end, version, as_of, value, unit, numerator, denominator,
  coverage, progress, expected_progress, status, status_reason, status_reason_zh, light, label, detail, rule, rule_digest,
  rule_text, sql_digest, catalogue_digest, target_version, factor_set, factor_set_version, vintage, evidence_digest,
  content_digest, changed, legal_basis
)
SELECT
  %(indicator)s, %(scope)s, %(period_type)s, %(period)s, %(period_start)s, %(period_end)s,
  coalesce(max(version), 0) + 1, %(as_of)s, %(value)s, %(unit)s, %(numerator)s, %(denominator)s, %(coverage)s,
  %(progress)s, %(expected_progress)s, %(status)s, %(status_reason)s, %(status_reason_zh)s, %(light)s, %(label)s,
  %(detail)s, %(rule)s, %(rule_digest)s, %(rule_text)s, %(sql_digest)s, %(catalogue_digest)s, %(target_version)s,
  %(factor_set)s, %(factor_set_version)s, %(vintage)s, %(evidence_digest)s, %(content_digest)s, %(changed)s,
  %(legal_basis)s
FROM indicator.result
WHERE indicator = %(indicator)s AND scope = %(scope)s AND period_type = %(period_type)s AND period = %(period)s
RETURNING result_id, version
