INSERT INTO people.person
  (login, name, kind, areas, uscc, duties, password_hash, issuer, subject, created_by)
VALUES
  (%(login)s, %(name)s, %(kind)s, %(areas)s::text[], %(uscc)s, %(duties)s::text[], %(password_hash)s, %(issuer)s,
   %(subject)s, %(by)s)
RETURNING person_id, login, name, kind, areas, uscc, duties, disabled_at
