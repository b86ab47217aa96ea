-- The reading tables in the pieces in which they are compressed and dropped: here partitions of a month (UTC).

CREATE FUNCTION ingest.pieces(reading text)
  RETURNS TABLE (piece text, from_t timestamptz, to_t timestamptz, compressed text, bytes int8)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $body$
    SELECT c.oid::regclass::text, b.found[1]::timestamptz, b.found[2]::timestamptz, 'never',
      pg_total_relation_size(c.oid)
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (
      SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), '''(.+)''\) TO \(''(.+)''') AS found
    ) AS b
    WHERE i.inhparent = to_regclass('ingest.' || quote_ident(reading))
    ORDER BY 2
  $body$;
COMMENT ON FUNCTION ingest.pieces IS
  'Pieces of a reading table, oldest first: name, from when until when, compressed (no, yes, partly, never), bytes with indexes';

CREATE FUNCTION ingest.compress_piece(piece text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION '% is a partition of plain PostgreSQL, which is never compressed', piece
    USING ERRCODE = 'feature_not_supported';
END
$body$;
COMMENT ON FUNCTION ingest.compress_piece IS
  'Compress a piece, again where it is compressed in part; an error on plain PostgreSQL, which cannot';

CREATE FUNCTION ingest.drop_piece(reading text, piece text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF NOT EXISTS (SELECT FROM ingest.pieces(reading) AS p WHERE p.piece = drop_piece.piece) THEN
    RAISE EXCEPTION '% is no piece of ingest.%', piece, reading USING ERRCODE = 'undefined_table';
  END IF;
  EXECUTE 'DROP TABLE ' || piece;
END
$body$;
COMMENT ON FUNCTION ingest.drop_piece IS 'Drop a whole piece of a reading table; only warehouse/retention calls it';
