-- Takes away what stands there with other values; the merge puts the file's row in its place.
DELETE FROM {relation} AS r USING pg_temp.g60_stage AS s WHERE {same_key} AND ({differs})
