SELECT key_id, name, prefix, kind, areas, uscc, expires_at, revoked_at, secret_sha256
FROM people.api_key
WHERE prefix = %(prefix)s
