INSERT INTO {relation} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM pg_temp.g60_stage AS s
WHERE NOT EXISTS (SELECT FROM {relation} AS r WHERE {same_key})
