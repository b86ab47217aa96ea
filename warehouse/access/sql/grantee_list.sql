-- Grants, and what is wrong with their roles: what lets them see more than the views show, or keeps them out.
SELECT
  g.role_name::text, g.kind, g.areas, g.uscc, g.valid_from, g.valid_to, g.granted_by::text, g.reason,
  CASE WHEN g.valid_to <= statement_timestamp() THEN '' ELSE concat_ws(', ',
    CASE WHEN r.oid IS NULL THEN 'no such role on this server' END,
    CASE WHEN NOT r.rolcanlogin THEN 'may not log in' END,
    CASE WHEN r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR r.rolcreatedb
      THEN 'has powers over the server' END,
    CASE WHEN EXISTS (SELECT FROM pg_auth_members AS m WHERE m.member = r.oid) THEN 'is a member of other roles' END,
    CASE WHEN has_database_privilege(r.oid, current_database(),
      CASE WHEN g.kind IN ('sink', 'jobs', 'metrics') THEN 'CREATE' ELSE 'TEMPORARY, CREATE' END)
      THEN 'may make objects in this database' END
  ) END
FROM access.grantee AS g
LEFT JOIN pg_roles AS r ON r.rolname = g.role_name
WHERE %(ended)s OR g.valid_to IS NULL OR statement_timestamp() < g.valid_to
ORDER BY g.role_name::text, g.valid_from
