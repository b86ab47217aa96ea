UPDATE people.person SET disabled_at = coalesce(disabled_at, now())
WHERE login = %(login)s
RETURNING person_id
