-- Services keep each other out with advisory locks.
GRANT EXECUTE ON FUNCTION
  pg_catalog.pg_advisory_lock(bigint), pg_catalog.pg_try_advisory_lock(bigint), pg_catalog.pg_advisory_unlock(bigint),
  pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_advisory_xact_lock(integer, integer),
  pg_catalog.pg_try_advisory_xact_lock(bigint)
TO {role}
