-- Tables and views of the project's schemas: oid, schema, name, kind.
SELECT c.oid::int8, n.nspname, c.relname, c.relkind::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND n.nspname NOT IN ('information_schema', 'public') AND n.nspname !~ '^(pg_|_?timescaledb)'
  AND NOT EXISTS (
    SELECT FROM pg_depend AS d
    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
