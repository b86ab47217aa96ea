SELECT ingest.compress_piece(p.piece) FROM ingest.pieces(%(reading)s) AS p
