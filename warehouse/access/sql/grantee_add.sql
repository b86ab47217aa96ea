-- Grant something to a role from now on.
INSERT INTO access.grantee (role_name, kind, areas, uscc, asserts, valid_to, reason)
VALUES (%(role)s, %(kind)s, %(areas)s, %(uscc)s, %(asserts)s, %(valid_to)s, %(reason)s)
