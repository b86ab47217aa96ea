COPY indicator.evidence (evidence_digest, member, counted, reason, since, amount, weight, detail, source, legal_basis)
FROM STDIN
