UPDATE people.person SET password_hash = %(password_hash)s, failures = 0, locked_until = NULL
WHERE login = %(login)s
RETURNING person_id
