-- Rows of the scope that are not what is staged.
DELETE FROM {target} AS t
USING {scope} AS s
WHERE {of_scope} AND NOT EXISTS (SELECT FROM {staged} AS x WHERE {same})
