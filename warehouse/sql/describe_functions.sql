-- Functions of a schema that are not triggers: name, arguments, result, comment.
SELECT
  p.proname, pg_get_function_arguments(p.oid), coalesce(pg_get_function_result(p.oid), ''),
  coalesce(obj_description(p.oid, 'pg_proc'), '')
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s AND p.prorettype <> 'trigger'::regtype
ORDER BY p.proname, 2
