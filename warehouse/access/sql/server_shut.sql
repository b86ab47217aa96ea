-- Of this database: advisory locks, which the jobs and migrations keep each other out with, and large objects, in which
-- anybody could store anything, are no longer everybody's.
DO $$
DECLARE
  found regprocedure;
BEGIN
  FOR found IN
    SELECT p.oid FROM pg_proc AS p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
      AND (p.proname ~ '^pg_(try_)?advisory_' OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_open', 'lo_put', 'lowrite'))
      AND has_function_privilege('public', p.oid, 'EXECUTE')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', found,
      (SELECT pg_get_userbyid(d.datdba) FROM pg_database AS d WHERE d.datname = current_database()));
  END LOOP;
END $$
