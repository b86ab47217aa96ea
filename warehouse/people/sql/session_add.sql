INSERT INTO people.session (token_sha256, person_id, csrf, created_at, seen_at, expires_at)
VALUES (%(sha256)s, %(person_id)s, %(csrf)s, %(now)s, %(now)s, %(expires_at)s)
