-- End what is granted to a role.
UPDATE access.grantee
SET valid_to = greatest(statement_timestamp(), valid_from), ended_by = session_user
WHERE role_name = %(role)s AND valid_from <= statement_timestamp()
  AND (valid_to IS NULL OR statement_timestamp() < valid_to)
