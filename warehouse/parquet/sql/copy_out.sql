COPY (SELECT {columns} FROM {relation} AS r WHERE {where}{order}) TO STDOUT (FORMAT csv)
