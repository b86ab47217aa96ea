-- Tables and views of a schema, without partitions: oid, name, kind, comment, constraints.
SELECT
  c.oid::int8, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'),
  ARRAY(
    SELECT pg_get_constraintdef(k.oid) FROM pg_constraint AS k
    WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'x')
    ORDER BY array_position(ARRAY['p', 'u', 'f', 'x'], k.contype::text), k.conname)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
ORDER BY c.relname
