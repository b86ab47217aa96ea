SELECT r.name FROM unnest(%(names)s::text[]) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_roles AS p WHERE p.rolname = r.name)
ORDER BY 1
