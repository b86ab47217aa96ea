INSERT INTO people.access_log (who, kind, areas, uscc, address, method, path, query, status, rows)
VALUES (%(who)s, %(kind)s, %(areas)s::text[], %(uscc)s, %(address)s, %(method)s, %(path)s, %(query)s, %(status)s, %(rows)s)
