-- A table without a key is a bag: what it has fewer of than the files is put in.
INSERT INTO {relation} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM pg_temp.g60_stage
EXCEPT ALL
SELECT {columns} FROM {relation}
