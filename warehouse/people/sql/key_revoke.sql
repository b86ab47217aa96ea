UPDATE people.api_key SET revoked_at = now(), revoked_by = %(by)s
WHERE prefix = %(prefix)s AND revoked_at IS NULL
