INSERT INTO indicator.target (indicator, version, due, value, value_high, wording, base, document, legal_basis)
VALUES (%(indicator)s, %(version)s, %(due)s, %(value)s, %(value_high)s, %(wording)s, %(base)s, %(document)s, 'published')
ON CONFLICT (indicator, version) DO NOTHING
