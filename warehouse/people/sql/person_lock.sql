SELECT person_id, login, name, kind, areas, uscc, duties, disabled_at, password_hash, locked_until
FROM people.person
WHERE login = %(login)s
FOR UPDATE
