SELECT key_id, name, prefix, kind, areas, uscc, expires_at, revoked_at
FROM people.api_key
ORDER BY name, key_id
