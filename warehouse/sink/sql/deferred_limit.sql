-- One series, few readings: whatever they unpack is bounded by that. On plain PostgreSQL the name means nothing.
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0
