INSERT INTO people.api_key (name, prefix, secret_sha256, kind, areas, uscc, expires_at, created_by)
VALUES (%(name)s, %(prefix)s, %(sha256)s, %(kind)s, %(areas)s::text[], %(uscc)s, %(expires_at)s, %(by)s)
RETURNING key_id, name, prefix, kind, areas, uscc, expires_at, revoked_at
