-- The same words on both flavours, so that docs/tables.md is the documentation of both.
COMMENT ON FUNCTION ingest.ensure_month IS
  'Make the partitions of a month (UTC) where they are missing, as the owner of the tables; returns how many it made: always 0 on TimescaleDB, which makes its chunks itself';
