-- What tells the rows of a table apart: columns of the primary key, or else of a unique index of columns; whether a
-- column of it may be null.
SELECT
  ARRAY(
    SELECT a.attname FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.place <= i.indnkeyatts
    ORDER BY k.place)::text[],
  EXISTS (
    SELECT FROM unnest(i.indkey) AS k (attnum)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE NOT a.attnotnull),
  i.indisprimary
FROM pg_index AS i
WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  AND (i.indnullsnotdistinct OR NOT EXISTS (
    SELECT FROM unnest(i.indkey) AS k (attnum)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE NOT a.attnotnull))
ORDER BY i.indisprimary DESC, i.indexrelid
LIMIT 1
