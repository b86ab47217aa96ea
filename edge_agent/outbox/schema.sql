-- The outbox of an edge agent. Written only by the agent that holds the lock beside the file.

-- One row: this life of the buffer.
CREATE TABLE main.life (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  last_seq INTEGER NOT NULL DEFAULT 0,       -- last number ever given away, held or not
  run INTEGER NOT NULL DEFAULT 0,            -- counts openings; monotonic times are comparable within one run only
  birth_id INTEGER,                          -- the current birth
  previous_epoch INTEGER,
  previous_last INTEGER,
  packet_limit INTEGER,                      -- longest payload the broker took when it was last asked
  confirmed_through INTEGER NOT NULL DEFAULT 0,
  confirmed_at_ms INTEGER,
  dropped_messages INTEGER NOT NULL DEFAULT 0,
  dropped_readings INTEGER NOT NULL DEFAULT 0,
  machine TEXT                               -- JSON list: what tells the machine that writes here from others
) STRICT;

CREATE TABLE main.birth (
  birth_id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL
) STRICT;

-- Polls on disk that no message carries yet.
CREATE TABLE main.pending (
  poll_id INTEGER PRIMARY KEY,
  birth_id INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  body BLOB NOT NULL,                        -- JSON: [[series, t_ms, value, quality], …]
  crc32 INTEGER                              -- of the body; null when an agent of version 1 wrote it
) STRICT;

CREATE TABLE main.bookmark (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages held; small rows, so that looking for work never reads a payload.
CREATE TABLE main.message (
  seq INTEGER PRIMARY KEY,
  birth_id INTEGER NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('gauge', 'register')),
  created_ms INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL,
  crc32 INTEGER NOT NULL,
  sends INTEGER NOT NULL DEFAULT 0,          -- sendings that may have reached somebody
  sent_run INTEGER,
  sent_mono_ms INTEGER,
  thinned INTEGER NOT NULL DEFAULT 0,        -- 1: kept when every second one was given up
  dropped TEXT,                              -- JSON of the message's own report of what the overflow removed
  payload_id INTEGER NOT NULL
) STRICT;

CREATE INDEX main.message_never_sent ON message (seq, payload_bytes) WHERE sends = 0;
CREATE INDEX main.message_overflow ON message (class, seq) WHERE sends = 0;
CREATE INDEX main.message_unthinned ON message (seq) WHERE sends = 0 AND thinned = 0 AND class = 'gauge';

CREATE TABLE main.payload (
  payload_id INTEGER PRIMARY KEY,
  encoding TEXT,
  body BLOB NOT NULL                         -- as it is published, byte for byte
) STRICT;

-- Messages of an earlier epoch whose readings are to be numbered anew; their payloads stay where they are.
CREATE TABLE main.inherited (
  payload_id INTEGER PRIMARY KEY,
  birth_id INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  crc32 INTEGER NOT NULL
) STRICT;

-- What was removed and stands in no message yet.
CREATE TABLE main.dropped (
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  readings INTEGER NOT NULL
) STRICT;

CREATE TABLE main.event (
  event_id INTEGER PRIMARY KEY AUTOINCREMENT,
  body BLOB NOT NULL
) STRICT;

-- How much was written in each hour (UTC, counted from 1970), to say how long the room lasts.
CREATE TABLE main.written (
  hour INTEGER PRIMARY KEY,
  since_ms INTEGER NOT NULL,                 -- first message of the hour
  messages INTEGER NOT NULL,
  readings INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
