WITH found AS (
  SELECT s.token_sha256, s.csrf, s.expires_at, s.seen_at, p.*
  FROM people.session AS s
  JOIN people.person AS p USING (person_id)
  WHERE s.token_sha256 = %(sha256)s AND s.expires_at > %(now)s AND s.seen_at > %(idle)s AND p.disabled_at IS NULL
),
seen AS (
  UPDATE people.session AS s SET seen_at = %(now)s
  FROM found AS f
  WHERE s.token_sha256 = f.token_sha256 AND s.seen_at < %(seen_before)s
)
SELECT csrf, expires_at, person_id, login, name, kind, areas, uscc, duties, disabled_at
FROM found
