DELETE FROM people.session WHERE person_id = %(person_id)s
