SELECT person_id, login, name, kind, areas, uscc, duties, disabled_at
FROM people.person
WHERE issuer = %(issuer)s AND subject = %(subject)s AND disabled_at IS NULL
