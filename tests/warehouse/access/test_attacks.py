"""A park's role, and every other, tries to see another park by SQL: nothing it reads, errors included, may tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.warehouse.access.world import ALPHA, BRAVO, KINDS, OTHERS, World
from warehouse.access.kinds import Kind
from warehouse.postgres import Connection

OPEN = ("look", "published", "audit", "pg_catalog", "information_schema")
"""Schemas whose relations may be named; the server's own show nothing of ours, which is tested beside."""
OWN_DAYS = "SELECT count(*), count(DISTINCT uscc) FROM look.day"

# Statements that a park's role may well run, each in a session of its own; none may tell anything of the other park.
HARMLESS = {
    "own rows": ["TABLE look.day"],
    "whole rows": ["SELECT d::text, to_jsonb(d) FROM look.day AS d"],
    "another serial": ["SELECT * FROM look.day WHERE serial = 'bravo' || '-meter-0'"],
    "set": ['SET g60.scope = \'{"kind": "district"}\'', "TABLE look.day"],
    "set local": ["BEGIN", 'SET LOCAL g60.scope = \'{"kind": "park", "areas": ["br" "avo-park"]}\'', "TABLE look.day"],
    "set_config": ["SELECT set_config('g60.scope', '{\"kind\": \"auditor\"}', false)", "TABLE look.day"],
    "time zone": ["SET TimeZone = 'Pacific/Kiritimati'", "TABLE look.day"],
    "search_path": ["SET search_path = pg_temp, public, access, energy", "TABLE look.day"],
    "row_security": ["SET row_security = off", "TABLE look.day"],
    "read only off": ["SET default_transaction_read_only = off", "TABLE look.day"],
    "division": ["SELECT * FROM look.day WHERE 1 / (energy - 7654321.25) IS NOT NULL"],
    "division in order": ["SELECT * FROM look.day ORDER BY 1 / (energy - 7654321.25)"],
    "xml of a view": ["SELECT query_to_xml('TABLE look.day', true, false, '')"],
    "explain": ["EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT * FROM look.day WHERE energy > 100"],
    "explain a value": ["EXPLAIN (VERBOSE) SELECT * FROM look.enterprise WHERE name LIKE 'b%'"],
    "statistics": ["SELECT * FROM pg_stats WHERE schemaname <> 'pg_catalog'", "SELECT * FROM pg_stats_ext"],
    "activity": ["SELECT query FROM pg_stat_activity", "TABLE pg_stat_user_tables", "TABLE pg_prepared_statements"],
    "locks": ["TABLE pg_locks"],
    "settings": ["SELECT * FROM pg_db_role_setting", "SELECT * FROM pg_settings WHERE name ~ 'g60'"],
    "roles": ["SELECT rolname FROM pg_roles", "TABLE pg_user", "TABLE pg_auth_members"],
    "definitions": ["SELECT prosrc FROM pg_proc", "TABLE pg_views", "TABLE pg_description", "TABLE pg_constraint"],
    "sizes": ["SELECT relname, reltuples FROM pg_class"],
    "cursor": ["BEGIN", "DECLARE c CURSOR FOR SELECT * FROM look.day", "FETCH ALL FROM c"],
    "held cursor": ["BEGIN", "DECLARE c CURSOR WITH HOLD FOR TABLE look.day", "COMMIT", "FETCH ALL FROM c"],
    "prepared": ["PREPARE p AS SELECT * FROM look.day WHERE uscc <> $1", "EXECUTE p('x')"],
    "own password": ["ALTER ROLE CURRENT_USER PASSWORD 'a password of the tests'"],
    "listen": ["LISTEN bravo_is_no_channel", "UNLISTEN *"],
    "notify": ["NOTIFY everybody, 'x'"],
    "snapshot": ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT pg_export_snapshot() IS NOT NULL", "TABLE look.day"],
    "joins itself": ["SELECT a.*, b.* FROM look.day AS a FULL JOIN look.day AS b ON a.energy = b.energy"],
    "sample": ["SELECT * FROM look.enterprise, LATERAL (TABLE look.meter) AS m"],
    "tids": ["SELECT count(*) FROM look.scope"],
    "system functions of relations": [
        "SELECT pg_get_viewdef('look.day'::regclass)",
        "SELECT pg_relation_size('look.day')",
    ],
    "do": [
        "DO $$ DECLARE r record; BEGIN FOR r IN TABLE look.day LOOP RAISE NOTICE '%', r; END LOOP; END $$",
        "DO $$ BEGIN PERFORM set_config('g60.scope', '{\"kind\": \"district\"}', true); END $$",
    ],
    "notices of a cast": ["SELECT serial::int FROM look.day"],
}

# What must be refused, whatever its reason says.
REFUSED = {
    "set role": ["SET ROLE {other}"],
    "set role to the owner": ["SET ROLE {owner}"],
    "session authorization": ["SET SESSION AUTHORIZATION {other}"],
    "session authorization of the owner": ["SET SESSION AUTHORIZATION {owner}"],
    "grant itself the other role": ["GRANT {other} TO CURRENT_USER"],
    "alter the other role": ["ALTER ROLE {other} PASSWORD 'stolen, and long enough'"],
    "create a role": ["CREATE ROLE somebody_of_the_tests"],
    "superuser": ["ALTER ROLE CURRENT_USER SUPERUSER"],
    "bypass": ["ALTER ROLE CURRENT_USER BYPASSRLS"],
    "rename the other": ["ALTER ROLE {other} RENAME TO x"],
    "assume": ["SELECT access.assume('district', 'me')"],
    "scope by name": ["SELECT * FROM access.visible_holder()"],
    "grantee": ["SELECT * FROM access.grantee"],
    "grant to itself": ["INSERT INTO access.grantee (role_name, kind) VALUES (session_user, 'district')"],
    "another's grant": ["UPDATE access.grantee SET valid_to = now()"],
    "consent": ["UPDATE registry.consent SET valid_to = NULL"],
    "base table": ["SELECT * FROM energy.day"],
    "base table by copy": ["COPY energy.day TO STDOUT"],
    "base table by xml": ["SELECT table_to_xml('energy.day', true, false, '')"],
    "base table by a query in text": ["SELECT query_to_xml('SELECT * FROM energy.day', true, false, '')"],
    "database as xml": ["SELECT database_to_xml(true, false, '')", "TABLE energy.day"],
    "words of a base table": ["SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM registry.enterprise_attribute')"],
    "oid of a base table": ["SELECT 'energy.day'::regclass"],
    "partition": ["SELECT * FROM ingest.reading_gauge_2025_02"],
    "lock a base table": ["BEGIN", "LOCK energy.day"],
    "statistics of columns": ["SELECT * FROM pg_statistic"],
    "passwords": ["SELECT * FROM pg_authid"],
    "large objects": ["SELECT lo_create(0)"],
    "import a file": ["SELECT lo_import('/etc/passwd')"],
    "read a file": ["SELECT pg_read_file('PG_VERSION')"],
    "list files": ["SELECT * FROM pg_ls_dir('.')"],
    "copy from a file": ["COPY look.day FROM '/etc/passwd'"],
    "copy to a file": ["COPY (TABLE look.day) TO '/tmp/of-the-tests'"],
    "copy to a program": ["COPY (TABLE look.day) TO PROGRAM 'cat'"],
    "insert": ["INSERT INTO look.plan DEFAULT VALUES"],
    "update": ["UPDATE look.day SET energy = 0"],
    "delete": ["DELETE FROM look.plan"],
    "create a schema": ["CREATE SCHEMA mine"],
    "create a table": ["CREATE TABLE public.mine (a int)"],
    "create a table beside the views": ["CREATE TABLE look.mine (a int)"],
    "create a temporary table": ["CREATE TEMPORARY TABLE mine (a int)"],
    "create a temporary view": ["CREATE TEMPORARY VIEW mine AS TABLE look.day"],
    "create a function": ["CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    "create a temporary function": ["CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    "create an operator": ["CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)"],
    "create an extension": ["CREATE EXTENSION dblink"],
    "create a foreign server": ["CREATE EXTENSION postgres_fdw"],
    "untrusted language": ["CREATE FUNCTION public.f() RETURNS int LANGUAGE internal AS 'int4in'"],
    "do as the owner": ["DO $$ BEGIN PERFORM 1 FROM energy.day; END $$"],
    "do with a role": ["DO $$ BEGIN SET ROLE {owner}; END $$"],
    "replace a view": ["CREATE OR REPLACE VIEW look.day AS SELECT 1 AS meter_id"],
    "take the barrier away": ["ALTER VIEW look.day SET (security_barrier = false)"],
    "own a view": ["ALTER VIEW look.day OWNER TO CURRENT_USER"],
    "comment": ["COMMENT ON VIEW look.day IS 'x'"],
    "drop": ["DROP VIEW look.day"],
    "default privileges of the owner": ["ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO PUBLIC"],
    "event trigger": ["CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION registry.keep_superseded()"],
    "server setting": ["ALTER SYSTEM SET log_statement = 'all'"],
    "privileged setting": ["SET session_preload_libraries = 'x'"],
    "database setting": ["ALTER DATABASE {database} SET g60.scope = 'x'"],
    "replication": ["SELECT pg_create_logical_replication_slot('x', 'test_decoding')"],
    "cancel another": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{owner}'"],
    "lock of the jobs": ["SELECT pg_advisory_lock(1731198978)"],
    "vacuum": ["VACUUM energy.day"],
    "publication": ["CREATE PUBLICATION p FOR ALL TABLES"],
}  # fmt: skip


REASONS = ("42501", "55000")
"""Insufficient privilege; not a thing that can be done to a view. Never a mistake in the attempt itself."""


class Heard:
    """Everything that reaches a client: rows, notices, notifications, errors with their details."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.errors: list[psycopg.Error] = []

    def run(self, connection: Connection, query: str) -> None:
        try:
            if query.startswith("COPY"):
                with connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
                    self.words += [str(bytes(block)) for block in copy]
                return
            cursor = connection.execute(query.encode())
            if cursor.description:
                self.words += [str(row) for row in cursor.fetchall()]
        except psycopg.Error as error:
            self.errors.append(error)
            said = error.diag
            self.words += [str(part) for part in (error, said.message_detail, said.message_hint, said.context)]

    def notice(self, told: psycopg.errors.Diagnostic) -> None:
        self.words.append(f"{told.message_primary} {told.message_detail} {told.context}")

    def tells(self) -> list[str]:
        """Words that tell of the other park."""
        text = "\n".join(self.words).lower()
        return [word for word in OTHERS if word.lower() in text]


@contextmanager
def hearing(world: World, name: str, options: str = "") -> Iterator[tuple[Heard, Connection]]:
    heard = Heard()
    with world.session(name, options) as connection:
        connection.add_notice_handler(heard.notice)
        yield heard, connection


def filled(world: World, query: str) -> str:
    owner, database = world.run("SELECT current_user, current_database()")[0]
    return query.replace("{other}", world.roles["other"]).replace("{owner}", owner).replace("{database}", database)


@pytest.mark.parametrize("attempt", HARMLESS)
def test_what_a_park_may_run_tells_nothing_of_another(world: World, attempt: str) -> None:
    with hearing(world, "park") as (heard, connection):
        for query in HARMLESS[attempt]:
            heard.run(connection, query)
        with suppress(psycopg.Error):
            connection.rollback()
        assert heard.tells() == []
        assert connection.execute(OWN_DAYS.encode()).fetchone() == (6, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_role_may_do_is_refused_and_tells_nothing(world: World, kind: Kind) -> None:
    with hearing(world, kind.value) as (heard, connection):
        before = connection.execute(OWN_DAYS.encode()).fetchone()
        for attempt, queries in REFUSED.items():
            # What only a setting keeps from writing is taken off first: it is no boundary.
            connection.execute("SET default_transaction_read_only = off")
            heard.errors.clear()
            for query in queries:
                heard.run(connection, filled(world, query))
            assert heard.errors, f"{attempt}: it went through"
            assert heard.errors[-1].sqlstate in REASONS, (attempt, heard.errors)
            connection.rollback()
            connection.execute("RESET ALL")
            assert connection.execute(OWN_DAYS.encode()).fetchone() == before, attempt
            if kind in (Kind.PARK, Kind.ENTERPRISE):
                assert heard.tells() == [], attempt


@pytest.mark.parametrize("kind", [kind.value for kind in KINDS] + ["api"])
def test_no_relation_but_the_views_can_be_read_or_written(world: World, kind: str) -> None:
    """Every relation of the catalogue, partitions, indexes' tables and sequences included, one by one."""
    relations = world.run(
        "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't') AND n.nspname <> ALL (%s)"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')",
        [[*OPEN, *(["people", "warehouse"] if kind == "api" else [])]],
    )
    assert len(relations) > 100
    assert any("reading_gauge_2" in name or name.endswith("_chunk") for _, name in relations)
    with hearing(world, kind) as (heard, connection):
        for relation in relations:
            for form in ("SELECT * FROM {}", "DELETE FROM {}", "LOCK {}", "SELECT count(*) FROM {}"):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(SQL(form).format(Identifier(*relation)))
                assert refused.value.sqlstate in ("42501", "25006", "25P01", "42809", "55000"), (relation, form)
        assert heard.tells() == []


@pytest.mark.parametrize("kind", [kind.value for kind in KINDS])
def test_no_function_of_ours_can_be_run(world: World, kind: str) -> None:
    may = world.run(
        "SELECT n.nspname || '.' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'public')"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')"
        " AND has_function_privilege(%(role)s, p.oid, 'EXECUTE') AND has_schema_privilege(%(role)s, n.oid, 'USAGE')",
        {"role": world.roles[kind]},
    )
    assert may == []
    # Those that the views run may be run by whoever reads them; none takes anything from the reader.
    run = world.run(
        "SELECT n.nspname || '.' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'public')"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')"
        " AND has_function_privilege(%s, p.oid, 'EXECUTE') ORDER BY 1",
        [world.roles[kind]],
    )
    assert [name for (name,) in run] == [
        "access.scope", "access.today", "access.visible_enterprise", "access.visible_holder", "ingest.amount",
    ]  # fmt: skip


def test_a_function_that_tells_what_it_is_given_is_given_own_rows_only(own_world: World) -> None:
    own_world.run(
        "CREATE FUNCTION public.tell(said text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS"
        " $$ BEGIN RAISE NOTICE 'told %%', said; RETURN true; END $$".replace("%%", "%")
    )
    own_world.run("GRANT EXECUTE ON FUNCTION public.tell(text) TO PUBLIC")
    views = own_world.run(
        "SELECT table_schema, table_name FROM information_schema.views WHERE table_schema IN ('look', 'audit')"
    )
    assert len(views) > 15
    with hearing(own_world, "park") as (heard, connection):
        for view in views:
            connection.execute(
                SQL("SELECT * FROM {} AS v WHERE public.tell(v::text) AND random() >= 0").format(Identifier(*view))
            )
        assert any("alpha works" in word for word in heard.words)
        assert heard.tells() == []


@pytest.mark.parametrize("options", ['-c g60.scope={"kind":"auditor"}', "-c search_path=energy", "-c role={owner}"])
def test_options_of_the_connection_give_nothing(world: World, options: str) -> None:
    heard = Heard()
    try:
        with hearing(world, "park", filled(world, options)) as (heard, connection):
            heard.run(connection, "TABLE look.day")
            assert connection.execute(OWN_DAYS.encode()).fetchone() == (6, 3)
    except psycopg.OperationalError as error:
        heard.words.append(str(error))
    except Exception as error:  # noqa: BLE001  (our own mapping of a refused log-in; what counts is what it says)
        heard.words.append(str(error))
    assert heard.tells() == []


def test_a_setting_kept_for_the_role_gives_nothing(own_world: World) -> None:
    keep = SQL("ALTER ROLE {} SET g60.scope = {}").format(Identifier(own_world.roles["park"]), '{"kind": "district"}')
    with own_world.session("park") as connection, suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(keep)
    own_world.conn.execute(keep)
    assert own_world.seen("park", "SELECT current_setting('g60.scope')") == [('{"kind": "district"}',)]
    assert own_world.seen("park", OWN_DAYS) == [(6, 3)]


def test_what_a_role_is_called_and_set_to_tells_nobody_who_it_is(world: World) -> None:
    for role in world.roles.values():
        assert not any(word in role for word in ("alpha", "bravo", *ALPHA, *BRAVO))
    assert world.run("SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text ~* 'alpha|bravo'") == [(0,)]


def test_a_role_without_a_grant_cannot_even_connect(world: World) -> None:
    row: Any = world.run(
        "SELECT has_database_privilege('public', current_database(), 'CONNECT'),"
        " has_database_privilege('public', current_database(), 'TEMPORARY')"
    )[0]
    assert row == (False, False)
