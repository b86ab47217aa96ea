-- Columns of views that only pass on a column of a table keep its comment.

DO $$
DECLARE
  passed record;
BEGIN
  FOR passed IN
    SELECT DISTINCT ON (v.oid, shown.attnum)
      n.nspname, v.relname, shown.attname, col_description(origin.attrelid, origin.attnum) AS comment
    FROM pg_class AS v
    JOIN pg_namespace AS n ON n.oid = v.relnamespace
    JOIN pg_rewrite AS r ON r.ev_class = v.oid
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
      AND d.refobjsubid > 0
    JOIN pg_attribute AS origin ON origin.attrelid = d.refobjid AND origin.attnum = d.refobjsubid
    JOIN pg_attribute AS shown ON shown.attrelid = v.oid AND shown.attname = origin.attname
    WHERE v.relkind = 'v' AND n.nspname IN ('ingest', 'registry', 'energy', 'stats', 'indicator')
      AND col_description(v.oid, shown.attnum) IS NULL
      AND col_description(origin.attrelid, origin.attnum) IS NOT NULL
    ORDER BY v.oid, shown.attnum, origin.attrelid
  LOOP
    EXECUTE format(
      'COMMENT ON COLUMN %I.%I.%I IS %L', passed.nspname, passed.relname, passed.attname, passed.comment);
  END LOOP;
END $$;
