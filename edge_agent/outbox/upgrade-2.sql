-- From version 1 of the outbox to version 2; one transaction.
ALTER TABLE main.life ADD COLUMN machine TEXT;
ALTER TABLE main.pending ADD COLUMN crc32 INTEGER;
ALTER TABLE main.payload RENAME COLUMN seq TO payload_id;
ALTER TABLE main.message ADD COLUMN payload_id INTEGER NOT NULL DEFAULT 0;
UPDATE main.message SET payload_id = seq;
CREATE TABLE main.inherited (
  payload_id INTEGER PRIMARY KEY,
  birth_id INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  crc32 INTEGER NOT NULL
) STRICT;
