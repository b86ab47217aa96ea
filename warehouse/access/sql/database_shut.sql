-- Nobody connects to this database, or makes temporary tables in it, who is not told that they may.
REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC
