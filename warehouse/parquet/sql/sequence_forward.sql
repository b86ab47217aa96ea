-- Move a sequence forward to a value, never back.
SELECT setval(%(sequence)s::regclass, greatest(%(value)s, (SELECT coalesce(s.last_value, 0) FROM pg_sequences AS s
  WHERE s.schemaname = %(schema)s AND s.sequencename = %(name)s)))
