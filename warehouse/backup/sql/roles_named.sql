-- Roles that the dump's owners and rights name.
SELECT DISTINCT pg_get_userbyid(o.role) AS role FROM (
  SELECT a.grantee FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
  UNION SELECT a.grantee FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
  UNION SELECT a.grantee FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
  UNION SELECT a.grantee FROM pg_type AS t CROSS JOIN LATERAL aclexplode(t.typacl) AS a
  UNION SELECT a.grantee FROM pg_attribute AS c CROSS JOIN LATERAL aclexplode(c.attacl) AS a
  UNION SELECT a.grantee FROM pg_default_acl AS d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a
  UNION SELECT d.defaclrole FROM pg_default_acl AS d
  UNION SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'ingest'
) AS o (role)
WHERE o.role <> 0 AND pg_get_userbyid(o.role) !~ '^pg_'
ORDER BY 1
