SELECT ingest.compress_piece(%(piece)s)
