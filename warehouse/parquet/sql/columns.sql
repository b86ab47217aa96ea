-- Columns of a relation: name, type as written, base type, precision and scale of a numeric, whether computed,
-- whether an identity, comment.
SELECT
  a.attname, format_type(a.atttypid, a.atttypmod), b.typname,
  CASE WHEN b.typname = 'numeric' AND m.typmod >= 0 THEN ((m.typmod - 4) >> 16) & 65535 END,
  CASE WHEN b.typname = 'numeric' AND m.typmod >= 0 THEN (((m.typmod - 4) & 2047) # 1024) - 1024 END,
  a.attgenerated <> '', a.attidentity <> '', coalesce(col_description(a.attrelid, a.attnum), '')
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_type AS b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) AS m
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
