-- People and programs that use the API and the built-in page: who they are, what they may see, and what they did.

CREATE SCHEMA people;
COMMENT ON SCHEMA people IS 'Accounts of the API and the built-in page: people, keys, sessions, and a log of every access';

CREATE FUNCTION people.is_scope(kind text, areas text[], uscc text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN kind IN ('enterprise', 'park', 'district', 'auditor')
    AND (kind = 'park') = (areas IS NOT NULL) AND areas IS DISTINCT FROM '{}'
    AND (kind = 'enterprise') = (uscc IS NOT NULL);
COMMENT ON FUNCTION people.is_scope IS
  'True when kind, areas and enterprise are a scope that the API''s role may assume: a park has areas, an enterprise its code';

CREATE TABLE people.person (
  person_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  kind text NOT NULL,
  areas text[],
  uscc text REFERENCES registry.enterprise,
  duties text[] NOT NULL DEFAULT '{}' CHECK (duties <@ ARRAY['enter', 'manage']),
  password_hash text,
  issuer text,
  subject text,
  failures int NOT NULL DEFAULT 0,
  locked_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  disabled_at timestamptz,
  UNIQUE (issuer, subject),
  CHECK (people.is_scope(kind, areas, uscc)),
  CHECK ((issuer IS NULL) = (subject IS NULL)),
  CHECK (num_nonnulls(password_hash, subject) > 0)
);
COMMENT ON TABLE people.person IS 'People who sign in (用户), by password or by a provider of identities; never deleted, only disabled';
COMMENT ON COLUMN people.person.person_id IS 'Number of ours';
COMMENT ON COLUMN people.person.login IS 'Name they sign in with, lower case';
COMMENT ON COLUMN people.person.name IS 'Name of the person';
COMMENT ON COLUMN people.person.kind IS 'What they may see, as in access.grantee: enterprise, park, district, auditor';
COMMENT ON COLUMN people.person.areas IS 'The areas, of a park';
COMMENT ON COLUMN people.person.uscc IS 'The enterprise, of an enterprise';
COMMENT ON COLUMN people.person.duties IS
  'What they may do beside reading: enter (contracts, shifts, planned stops within their scope), manage (people and keys)';
COMMENT ON COLUMN people.person.password_hash IS 'Argon2id, with its salt and parameters; null for those who sign in elsewhere';
COMMENT ON COLUMN people.person.issuer IS 'Provider of identities (OpenID Connect) that vouches for them';
COMMENT ON COLUMN people.person.subject IS 'Their name there';
COMMENT ON COLUMN people.person.failures IS 'Wrong passwords since the last right one';
COMMENT ON COLUMN people.person.locked_until IS 'No password is looked at before then, after too many wrong ones';
COMMENT ON COLUMN people.person.created_at IS 'When the account was made';
COMMENT ON COLUMN people.person.created_by IS 'By whom';
COMMENT ON COLUMN people.person.disabled_at IS 'Since when it no longer opens anything; null while it does';

CREATE TABLE people.api_key (
  key_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  prefix text NOT NULL UNIQUE CHECK (prefix ~ '^[0-9a-z]{8}$'),
  secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
  kind text NOT NULL,
  areas text[],
  uscc text REFERENCES registry.enterprise,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  revoked_at timestamptz,
  revoked_by text,
  CHECK (people.is_scope(kind, areas, uscc)),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
COMMENT ON TABLE people.api_key IS 'Keys of programs (接口密钥); the key itself is shown once and kept nowhere';
COMMENT ON COLUMN people.api_key.key_id IS 'Number of ours';
COMMENT ON COLUMN people.api_key.name IS 'Which program uses it';
COMMENT ON COLUMN people.api_key.prefix IS 'First part of the key, by which it is found and named';
COMMENT ON COLUMN people.api_key.secret_sha256 IS 'SHA-256 of the key: it is 256 random bits, so nothing slower is needed';
COMMENT ON COLUMN people.api_key.kind IS 'What it may see, as in people.person';
COMMENT ON COLUMN people.api_key.areas IS 'The areas, of a park';
COMMENT ON COLUMN people.api_key.uscc IS 'The enterprise, of an enterprise';
COMMENT ON COLUMN people.api_key.created_at IS 'When it was made';
COMMENT ON COLUMN people.api_key.created_by IS 'By whom';
COMMENT ON COLUMN people.api_key.expires_at IS 'From when on it opens nothing';
COMMENT ON COLUMN people.api_key.revoked_at IS 'When it was taken back; null while it was not';
COMMENT ON COLUMN people.api_key.revoked_by IS 'By whom';

CREATE TABLE people.session (
  token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
  person_id int NOT NULL REFERENCES people.person,
  csrf text NOT NULL CHECK (length(csrf) >= 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX session_person ON people.session (person_id);
COMMENT ON TABLE people.session IS 'Who is signed in; deleted at signing out and when it has expired';
COMMENT ON COLUMN people.session.token_sha256 IS 'SHA-256 of the token in the cookie';
COMMENT ON COLUMN people.session.person_id IS 'Whose it is';
COMMENT ON COLUMN people.session.csrf IS 'What every changing request of the session has to repeat in a header';
COMMENT ON COLUMN people.session.created_at IS 'When they signed in';
COMMENT ON COLUMN people.session.seen_at IS 'Last request, to the minute';
COMMENT ON COLUMN people.session.expires_at IS 'When it ends, whatever is done';

CREATE TABLE people.access_log (
  access_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  who text NOT NULL,
  kind text,
  areas text[],
  uscc text,
  address text,
  method text NOT NULL,
  path text NOT NULL,
  query text NOT NULL DEFAULT '',
  status smallint NOT NULL,
  rows int
);
CREATE INDEX access_log_at ON people.access_log (at);
COMMENT ON TABLE people.access_log IS 'Every access to the API and the page, refused ones too; never changed';
COMMENT ON COLUMN people.access_log.access_id IS 'Number of ours';
COMMENT ON COLUMN people.access_log.at IS 'When it was answered';
COMMENT ON COLUMN people.access_log.who IS 'person:LOGIN, key:PREFIX, or anonymous';
COMMENT ON COLUMN people.access_log.kind IS 'Kind of the scope it was answered within; null when nobody was known';
COMMENT ON COLUMN people.access_log.areas IS 'Areas of the scope';
COMMENT ON COLUMN people.access_log.uscc IS 'Enterprise of the scope';
COMMENT ON COLUMN people.access_log.address IS 'Address it came from';
COMMENT ON COLUMN people.access_log.method IS 'HTTP method';
COMMENT ON COLUMN people.access_log.path IS 'Path';
COMMENT ON COLUMN people.access_log.query IS 'Query, without secrets';
COMMENT ON COLUMN people.access_log.status IS 'HTTP status';
COMMENT ON COLUMN people.access_log.rows IS 'Rows that were given; null where it gives none';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON people.access_log
  FOR EACH ROW EXECUTE FUNCTION stats.refuse_change();
