-- What stands there with other values takes the file's.
UPDATE {relation} AS r SET {put} FROM pg_temp.g60_stage AS s WHERE {same_key} AND ({differs})
