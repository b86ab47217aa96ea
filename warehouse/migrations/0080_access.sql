-- Access: who may see what. Everything is closed unless a view of look or published shows it.
--
-- People's roles reach the views of look and published and nothing else; what a view shows follows from the row of
-- access.grantee that names session_user, which neither SET ROLE nor a function changes. The views may therefore be
-- granted to PUBLIC: a role without such a row sees no rows in them.

CREATE SCHEMA access;
COMMENT ON SCHEMA access IS 'Who may see what, and since when';

CREATE TABLE access.grantee (
  grant_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  role_name name NOT NULL,
  kind text NOT NULL CHECK (kind IN
    ('enterprise', 'park', 'district', 'statistics', 'auditor', 'api', 'sink', 'jobs', 'metrics', 'backup')),
  areas text[],
  uscc text REFERENCES registry.enterprise,
  asserts text[],
  valid_from timestamptz NOT NULL DEFAULT now(),
  valid_to timestamptz,
  granted_by name NOT NULL DEFAULT session_user,
  reason text,
  ended_by name,
  CHECK (valid_from <= valid_to),
  CHECK ((kind = 'park') = (areas IS NOT NULL) AND areas <> '{}'),
  CHECK ((kind = 'enterprise') = (uscc IS NOT NULL)),
  CHECK ((kind = 'api') = (asserts IS NOT NULL)
         AND asserts <@ ARRAY['enterprise', 'park', 'district', 'auditor']),
  EXCLUDE USING gist ((role_name::text) WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
COMMENT ON TABLE access.grantee IS
  'Roles of the database server and what they may see here (授权). Written by g60 warehouse access alone; a row ends and is never changed otherwise';
COMMENT ON COLUMN access.grantee.grant_id IS 'The grant';
COMMENT ON COLUMN access.grantee.role_name IS 'The role that logs in';
COMMENT ON COLUMN access.grantee.kind IS
  'enterprise, park, district, statistics (alone sees statistical rows of single enterprises), auditor (all but those; changes nothing), api (what it says of each transaction); services: sink, jobs, metrics, backup';
COMMENT ON COLUMN access.grantee.areas IS 'Of a park''s role: the areas whose enterprises it sees';
COMMENT ON COLUMN access.grantee.uscc IS 'Of an enterprise''s role: the enterprise';
COMMENT ON COLUMN access.grantee.asserts IS 'Of the API''s role: the kinds it may act as; never statistics';
COMMENT ON COLUMN access.grantee.valid_from IS 'From when';
COMMENT ON COLUMN access.grantee.valid_to IS 'Until when, exclusive; null while it holds';
COMMENT ON COLUMN access.grantee.granted_by IS 'Role that granted it';
COMMENT ON COLUMN access.grantee.reason IS 'Why, in the words of whoever granted it';
COMMENT ON COLUMN access.grantee.ended_by IS 'Role that ended it';

CREATE FUNCTION access.keep_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR to_jsonb(NEW) - '{valid_to,ended_by}'::text[] <> to_jsonb(OLD) - '{valid_to,ended_by}'::text[]
  THEN
    RAISE EXCEPTION 'access.grantee only grows: end the grant and make another'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION access.keep_grant IS 'Trigger: a grant may end and is not changed otherwise';
CREATE TRIGGER keep_grant BEFORE UPDATE OR DELETE ON access.grantee
  FOR EACH ROW EXECUTE FUNCTION access.keep_grant();

-- The scope of a session ----------------------------------------------------------------------------------------------

CREATE FUNCTION access.today() RETURNS date
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date;
COMMENT ON FUNCTION access.today IS 'The day it is in Asia/Shanghai';

CREATE FUNCTION access.this_transaction() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN extract(epoch FROM transaction_timestamp())::text;
COMMENT ON FUNCTION access.this_transaction IS
  'A name of the transaction within its session: what was said in an earlier one does not hold in it';

CREATE FUNCTION access.scope(
  OUT kind text, OUT areas text[], OUT uscc text, OUT acting_user text) RETURNS SETOF record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  granted access.grantee;
  said jsonb;
BEGIN
  SELECT * INTO granted FROM access.grantee AS g
  WHERE g.role_name = session_user
    AND g.valid_from <= statement_timestamp()
    AND (g.valid_to IS NULL OR statement_timestamp() < g.valid_to);
  kind := granted.kind;
  areas := granted.areas;
  uscc := granted.uscc;
  acting_user := session_user;
  IF kind = 'api' THEN
    -- A setting of any other role is never looked at.
    said := nullif(current_setting('g60.scope', true), '')::jsonb;
    IF said IS NULL OR said ->> 'transaction' <> access.this_transaction()
       OR said ->> 'kind' <> ALL (granted.asserts) THEN
      RETURN;
    END IF;
    kind := said ->> 'kind';
    areas := CASE kind WHEN 'park' THEN ARRAY(SELECT jsonb_array_elements_text(said -> 'areas')) END;
    uscc := CASE kind WHEN 'enterprise' THEN said ->> 'uscc' END;
    acting_user := said ->> 'user';
  END IF;
  IF kind IN ('enterprise', 'park', 'district', 'statistics', 'auditor') THEN
    RETURN NEXT;
  END IF;
END $$;
COMMENT ON FUNCTION access.scope IS
  'What this session may see: one row, or none. Follows session_user; of the API''s role what access.assume said in this transaction';

CREATE FUNCTION access.assume(kind text, acting_user text, areas text[] DEFAULT NULL, uscc text DEFAULT NULL)
  RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM access.grantee AS g
    WHERE g.role_name = session_user AND g.kind = 'api' AND assume.kind = ANY (g.asserts)
      AND g.valid_from <= statement_timestamp() AND (g.valid_to IS NULL OR statement_timestamp() < g.valid_to)
  ) THEN
    RAISE EXCEPTION 'this role may not act as that kind' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF (kind = 'park') <> (areas IS NOT NULL) OR (kind = 'enterprise') <> (uscc IS NOT NULL) OR acting_user IS NULL THEN
    RAISE EXCEPTION 'a park needs its areas, an enterprise its code, and everybody a user'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM set_config('g60.scope', jsonb_build_object(
    'transaction', access.this_transaction(), 'kind', kind, 'areas', areas, 'uscc', uscc, 'user', acting_user
  )::text, true);
END $$;
COMMENT ON FUNCTION access.assume IS
  'For the API''s role: says for whom the rest of this transaction reads; holds until it ends and no longer';

-- Whose readings the session may see ----------------------------------------------------------------------------------

CREATE VIEW access.enterprise_today AS
  SELECT t.uscc, t.name FROM registry.enterprise_attribute AS t
  WHERE t.valid_from <= access.today() AND (t.valid_to IS NULL OR access.today() < t.valid_to)
    AND t.legal_basis <> 'statistical';
COMMENT ON VIEW access.enterprise_today IS 'Names of enterprises today, where they come from no statistical return';
COMMENT ON COLUMN access.enterprise_today.uscc IS 'The enterprise';
COMMENT ON COLUMN access.enterprise_today.name IS 'Its name';

CREATE FUNCTION access.name_today(code text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (SELECT t.name FROM access.enterprise_today AS t WHERE t.uscc = code);
COMMENT ON FUNCTION access.name_today IS 'Name of an enterprise today; null when none may be shown';

CREATE VIEW access.consent_today AS
  SELECT c.uscc, c.purpose,
    datemultirange(daterange(c.valid_from, c.valid_to)) + coalesce(o.days, '{}') AS days
  FROM registry.consent AS c
  LEFT JOIN (
    SELECT e.uscc, e.purpose, range_agg(daterange(e.valid_from, e.valid_to)) AS days
    FROM registry.consent AS e
    WHERE e.valid_from > access.today() OR e.valid_to <= access.today()
    GROUP BY e.uscc, e.purpose
  ) AS o ON o.uscc = c.uscc AND o.purpose = c.purpose
  WHERE c.valid_from <= access.today() AND (c.valid_to IS NULL OR access.today() < c.valid_to);
COMMENT ON VIEW access.consent_today IS
  'Consents that hold today: a consent withdrawn is gone from the first day on which it no longer holds, with all days that it had covered';
COMMENT ON COLUMN access.consent_today.uscc IS 'The enterprise';
COMMENT ON COLUMN access.consent_today.purpose IS 'For what';
COMMENT ON COLUMN access.consent_today.days IS 'Days that it covers or ever covered';

-- Functions, so that each kind of scope has a plan of its own that begins at its few rows.

CREATE FUNCTION access.visible_holder()
  RETURNS TABLE (holder_id int, uscc text, enterprise text, days datemultirange)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  mine record;
BEGIN
  SELECT * INTO mine FROM access.scope();
  IF mine.kind = 'park' THEN
    RETURN QUERY
      SELECT h.holder_id, h.uscc, access.name_today(h.uscc), c.days
      FROM energy.holder AS h
      JOIN access.consent_today AS c ON c.uscc = h.uscc AND c.purpose = 'park_view'
      WHERE h.areas && mine.areas;
  ELSIF mine.kind IN ('district', 'statistics') THEN
    RETURN QUERY
      SELECT h.holder_id, h.uscc, t.name, c.days
      FROM energy.holder AS h
      JOIN access.consent_today AS c ON c.uscc = h.uscc AND c.purpose = 'statistics'
      LEFT JOIN access.enterprise_today AS t ON t.uscc = h.uscc;
  ELSIF mine.kind = 'enterprise' THEN
    RETURN QUERY
      SELECT h.holder_id, h.uscc, access.name_today(h.uscc), '{(,)}'::datemultirange
      FROM energy.holder AS h WHERE h.uscc = mine.uscc;
  ELSIF mine.kind = 'auditor' THEN
    RETURN QUERY
      SELECT h.holder_id, h.uscc, t.name, '{(,)}'::datemultirange
      FROM energy.holder AS h
      LEFT JOIN access.enterprise_today AS t ON t.uscc = h.uscc;
  END IF;
END $$;
COMMENT ON FUNCTION access.visible_holder IS
  'Holders whose energy accounts this session may see, their enterprise''s name today, and the days: those that a consent covers; nobody''s (uscc null) only to an auditor';

CREATE FUNCTION access.visible_enterprise()
  RETURNS TABLE (uscc text, days datemultirange)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  mine record;
BEGIN
  SELECT * INTO mine FROM access.scope();
  IF mine.kind = 'park' THEN
    RETURN QUERY
      SELECT m.uscc, c.days * m.days
      FROM (
        SELECT a.uscc, range_agg(daterange(a.valid_from, a.valid_to)) AS days
        FROM registry.enterprise_area AS a WHERE a.area = ANY (mine.areas) GROUP BY a.uscc
      ) AS m
      JOIN access.consent_today AS c ON c.uscc = m.uscc AND c.purpose = 'park_view'
      WHERE c.days && m.days;
  ELSIF mine.kind IN ('district', 'statistics') THEN
    RETURN QUERY SELECT c.uscc, c.days FROM access.consent_today AS c WHERE c.purpose = 'statistics';
  ELSIF mine.kind = 'enterprise' THEN
    RETURN QUERY SELECT mine.uscc, '{(,)}'::datemultirange;
  ELSIF mine.kind = 'auditor' THEN
    RETURN QUERY SELECT e.uscc, '{(,)}'::datemultirange FROM registry.enterprise AS e;
  END IF;
END $$;
COMMENT ON FUNCTION access.visible_enterprise IS
  'Enterprises whose gateways and readings this session may see, and of which days: of a park those on which they were in it';

CREATE VIEW access.placed AS
  SELECT
    p.meter_id, p.uscc, p.role, p.name, p.parent_id, p.valid_from, coalesce(p.valid_to, 'infinity') AS valid_to,
    p.next_from, (p.valid_from AT TIME ZONE 'Asia/Shanghai')::date AS from_day,
    coalesce(((p.valid_to - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date, 'infinity') AS last_day,
    coalesce((p.next_from AT TIME ZONE 'Asia/Shanghai')::date, 'infinity') AS next_day
  FROM (
    SELECT
      o.*,
      CASE WHEN o.valid_to IS NULL THEN 'infinity' ELSE coalesce((
        SELECT min(n.valid_from) FROM registry.meter_placement AS n
        WHERE n.meter_id = o.meter_id AND n.uscc = o.uscc AND o.valid_to <= n.valid_from), 'infinity') END AS next_from
    FROM registry.meter_placement AS o
  ) AS p;
COMMENT ON VIEW access.placed IS 'registry.meter_placement by days, so that a day or a month finds its last placement';
COMMENT ON COLUMN access.placed.meter_id IS 'The meter';
COMMENT ON COLUMN access.placed.uscc IS 'The enterprise';
COMMENT ON COLUMN access.placed.role IS 'boundary, sub or generation';
COMMENT ON COLUMN access.placed.name IS 'What the enterprise calls it';
COMMENT ON COLUMN access.placed.parent_id IS 'The meter above it';
COMMENT ON COLUMN access.placed.valid_from IS 'From when';
COMMENT ON COLUMN access.placed.valid_to IS 'Until when, exclusive; infinity while it holds';
COMMENT ON COLUMN access.placed.next_from IS 'When the next placement of that meter at that enterprise begins; infinity when there is none';
COMMENT ON COLUMN access.placed.from_day IS 'Day of Asia/Shanghai on which it begins';
COMMENT ON COLUMN access.placed.last_day IS 'Last day of Asia/Shanghai that has a part of it';
COMMENT ON COLUMN access.placed.next_day IS 'Its day of Asia/Shanghai';

CREATE PROCEDURE access.describe(shown regclass, VARIADIC sources regclass[]) LANGUAGE plpgsql AS $$
DECLARE
  said record;
BEGIN
  FOR said IN
    SELECT DISTINCT ON (mine.attname) mine.attname, col_description(src.attrelid, src.attnum) AS comment
    FROM pg_attribute AS mine
    JOIN pg_attribute AS src ON src.attname = mine.attname AND src.attrelid = ANY (sources) AND src.attnum > 0
    WHERE mine.attrelid = shown AND mine.attnum > 0
      AND col_description(shown, mine.attnum) IS NULL AND col_description(src.attrelid, src.attnum) IS NOT NULL
    ORDER BY mine.attname, array_position(sources, src.attrelid::regclass)
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', shown, said.attname, said.comment);
  END LOOP;
END $$;
COMMENT ON PROCEDURE access.describe IS
  'For migrations: gives columns of a view the comments of columns of the same name in the first of the sources that has one';

-- Closed unless opened ------------------------------------------------------------------------------------------------

DO $$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT n.nspname FROM pg_namespace AS n
    WHERE n.nspname IN ('access', 'energy', 'indicator', 'ingest', 'registry', 'stats', 'warehouse')
  LOOP
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', name);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM PUBLIC', name);
    EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM PUBLIC', name);
    EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA %I FROM PUBLIC', name);
  END LOOP;
END $$;
-- What later migrations make is nobody's until they say otherwise. (Of tables and schemas that is the server's default.)
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- A view's functions are run as whoever reads it.
GRANT EXECUTE ON FUNCTION access.scope() TO PUBLIC;
GRANT EXECUTE ON FUNCTION access.today() TO PUBLIC;
GRANT EXECUTE ON FUNCTION access.visible_holder() TO PUBLIC;
GRANT EXECUTE ON FUNCTION access.visible_enterprise() TO PUBLIC;
