UPDATE people.person SET failures = 0, locked_until = NULL
WHERE person_id = %(person_id)s AND (failures > 0 OR locked_until IS NOT NULL)
