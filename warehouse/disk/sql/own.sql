-- Bytes a row of a table with its partitions and indexes, by the planner's count of rows; null below 10 000 rows.
SELECT CASE WHEN sum(greatest(c.reltuples, 0)) >= 10000
  THEN sum(pg_total_relation_size(c.oid)) / sum(greatest(c.reltuples, 0)) END::float8
FROM pg_class AS c
WHERE c.relkind = 'r' AND (c.oid = to_regclass(%(table)s)
   OR c.oid IN (SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = to_regclass(%(table)s)))
