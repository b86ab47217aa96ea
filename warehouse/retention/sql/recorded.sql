INSERT INTO ingest.retention_run (
  action, reading, piece, from_t, to_t, bytes_before, bytes_after, readings, account_from, error
)
SELECT %(action)s, %(reading)s, %(piece)s, %(from_t)s, %(to_t)s, %(bytes_before)s,
  (SELECT p.bytes FROM ingest.pieces(%(reading)s) AS p WHERE p.piece = %(piece)s AND %(action)s = 'compressed'),
  %(readings)s, CASE WHEN %(action)s = 'dropped' THEN ingest.account_from_after(%(reading)s, %(to_t)s) END, %(error)s
RETURNING coalesce(bytes_after, 0)
