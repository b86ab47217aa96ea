-- The count begins anew with each lock.
UPDATE people.person
SET failures = CASE WHEN failures + 1 >= %(most)s THEN 0 ELSE failures + 1 END,
    locked_until = CASE WHEN failures + 1 >= %(most)s THEN %(until)s::timestamptz END
WHERE person_id = %(person_id)s
