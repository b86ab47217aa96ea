-- A check that goes on for a night, unless there is one already.
INSERT INTO energy.check_run (part, night, from_day, to_day)
VALUES (%(part)s, %(night)s, %(from_day)s, %(to_day)s)
ON CONFLICT (night, part) DO NOTHING
