-- Whether a table has triggers of ours.
SELECT EXISTS (
  SELECT FROM pg_trigger AS t
  WHERE t.tgrelid = %(oid)s AND NOT t.tgisinternal AND t.tgname <> 'ts_insert_blocker')
