SELECT ingest.drop_piece(%(reading)s, %(piece)s)
