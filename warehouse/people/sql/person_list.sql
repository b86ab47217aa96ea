SELECT person_id, login, name, kind, areas, uscc, duties, disabled_at
FROM people.person
ORDER BY login
