SELECT member, counted, reason, since, amount, weight, detail, source, legal_basis
FROM indicator.evidence
WHERE evidence_digest = %(evidence_digest)s AND (%(counted)s::text IS NULL OR counted = %(counted)s)
ORDER BY counted, reason, member
