-- The reading tables in the pieces in which they are compressed and dropped: here chunks.

-- Compression is the job's alone from here on: the scheduler's status of a policy cannot be believed on some versions of
-- PostgreSQL, and a build without a scheduler would never compress.
SELECT remove_compression_policy('ingest.reading_gauge', if_exists => true);
SELECT remove_compression_policy('ingest.reading_register', if_exists => true);
SELECT remove_compression_policy('ingest.reading_state', if_exists => true);

CREATE FUNCTION ingest.pieces(reading text)
  RETURNS TABLE (piece text, from_t timestamptz, to_t timestamptz, compressed text, bytes int8)
  LANGUAGE sql STABLE
  AS $body$
    SELECT format('%I.%I', c.chunk_schema, c.chunk_name), c.range_start, c.range_end,
      CASE WHEN NOT c.is_compressed THEN 'no' WHEN k.status & 8 <> 0 THEN 'partly' ELSE 'yes' END,
      d.total_bytes
    FROM timescaledb_information.chunks AS c
    JOIN _timescaledb_catalog.chunk AS k ON k.schema_name = c.chunk_schema AND k.table_name = c.chunk_name
    JOIN chunks_detailed_size(format('ingest.%I', reading)::regclass) AS d
      ON d.chunk_schema = c.chunk_schema AND d.chunk_name = c.chunk_name
    WHERE c.hypertable_schema = 'ingest' AND c.hypertable_name = reading
    ORDER BY c.range_start
  $body$;
COMMENT ON FUNCTION ingest.pieces IS
  'Pieces of a reading table, oldest first: name, from when until when, compressed (no, yes, partly, never), bytes with indexes';

CREATE FUNCTION ingest.compress_piece(piece text) RETURNS void
  LANGUAGE sql AS $body$
    SELECT compress_chunk(piece::regclass, if_not_compressed => true);
  $body$;
COMMENT ON FUNCTION ingest.compress_piece IS
  'Compress a piece, again where it is compressed in part; an error on plain PostgreSQL, which cannot';

CREATE FUNCTION ingest.drop_piece(reading text, piece text) RETURNS void
  LANGUAGE plpgsql AS $body$
DECLARE
  piece_found record;
BEGIN
  SELECT * INTO piece_found FROM ingest.pieces(reading) AS p WHERE p.piece = drop_piece.piece;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is no piece of ingest.%', piece, reading USING ERRCODE = 'undefined_table';
  END IF;
  PERFORM drop_chunks(
    format('ingest.%I', reading)::regclass, older_than => piece_found.to_t, newer_than => piece_found.from_t);
END
$body$;
COMMENT ON FUNCTION ingest.drop_piece IS 'Drop a whole piece of a reading table; only warehouse/retention calls it';
