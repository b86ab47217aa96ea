-- Which table refers to which, by oid; a table that refers to itself is left out.
SELECT DISTINCT k.conrelid::int8, k.confrelid::int8
FROM pg_constraint AS k
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND k.conparentid = 0
