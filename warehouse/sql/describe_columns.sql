-- Columns of the tables and views of a schema: oid of the relation, name, type, whether null is allowed, comment.
SELECT
  c.oid::int8, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
  coalesce(col_description(c.oid, a.attnum), '')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
ORDER BY c.relname, a.attnum
