-- Rows of a table and a sum over their hashes, which no order of rows changes.
SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)), 0)::text FROM {relation} AS r
