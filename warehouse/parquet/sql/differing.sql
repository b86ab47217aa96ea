SELECT {shown} FROM pg_temp.g60_stage AS s JOIN {relation} AS r ON {same_key} WHERE {differs} LIMIT {most}
