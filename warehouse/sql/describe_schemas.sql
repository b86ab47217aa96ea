-- The project's own schemas and what they are for.
SELECT n.nspname, obj_description(n.oid, 'pg_namespace')
FROM pg_namespace AS n
WHERE n.nspname NOT IN ('information_schema', 'public')
  AND n.nspname !~ '^(pg_|_?timescaledb)'
  AND NOT EXISTS (
    SELECT FROM pg_depend AS d
    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
ORDER BY n.nspname
