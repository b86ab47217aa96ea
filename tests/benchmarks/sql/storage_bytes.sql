SELECT sum(p.bytes)::int8 FROM ingest.pieces(%(reading)s) AS p
