-- Compressing and dropping need the owner of the tables; whoever runs the jobs need not be it. Nobody else may call them.
ALTER FUNCTION ingest.compress_piece(text) SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION ingest.drop_piece(text, text) SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
REVOKE EXECUTE ON FUNCTION ingest.compress_piece(text), ingest.drop_piece(text, text) FROM PUBLIC;
