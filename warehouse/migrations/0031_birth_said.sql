-- Births are kept once, but a gateway may go back to one that it had before: what it said when.

CREATE TABLE ingest.birth_said (
  said_id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway text NOT NULL,
  birth_id int4 NOT NULL REFERENCES ingest.birth,
  said_at timestamptz NOT NULL,
  UNIQUE (gateway, said_at, birth_id)
);
INSERT INTO ingest.birth_said (gateway, birth_id, said_at)
SELECT gateway, birth_id, received_at FROM ingest.birth ORDER BY birth_id;
COMMENT ON TABLE ingest.birth_said IS
  'When a gateway said another birth than before, an old one again included; a repetition of the current one leaves no row';
COMMENT ON COLUMN ingest.birth_said.said_id IS 'Order of arrival';
COMMENT ON COLUMN ingest.birth_said.gateway IS 'Gateway';
COMMENT ON COLUMN ingest.birth_said.birth_id IS 'What it said';
COMMENT ON COLUMN ingest.birth_said.said_at IS 'When the bridge received it';
