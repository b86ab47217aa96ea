-- What is staged and does not stand yet.
INSERT INTO {target} ({columns})
SELECT {columns} FROM {staged} AS x
WHERE NOT EXISTS (SELECT FROM {target} AS t WHERE {same})
