"""Everything is closed unless somebody decided otherwise: the catalogue is walked, so that new tables are seen."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from tests.warehouse.access.world import World

OURS = (
    "n.nspname NOT IN ('information_schema', 'public') AND n.nspname !~ '^(pg_|_?timescaledb)'"
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition"
)
DECIDE = (
    "decide who may see {}: show rows of it in a view of look or published, or name it in "
    "warehouse/access/closed.toml with the reason"
)


def ours(world: World, query: str) -> list[tuple[Any, ...]]:
    return world.run(query.replace("{ours}", OURS))


def closed() -> dict[str, str]:
    text = resources.files("warehouse.access").joinpath("closed.toml").read_text("utf-8")
    return {
        f"{schema}.{table}": reason
        for schema, tables in tomllib.loads(text).items()
        for table, reason in tables.items()
    }


def shown(world: World) -> set[str]:
    """Tables and views that a view of look or published reads, directly or through other views."""
    rows = world.run(
        """
        WITH RECURSIVE reads AS (
          SELECT DISTINCT v.oid AS viewer, d.refobjid AS read
          FROM pg_class AS v
          JOIN pg_rewrite AS r ON r.ev_class = v.oid
          JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
        ), reached AS (
          SELECT c.oid FROM pg_class AS c WHERE c.relnamespace::regnamespace::text IN ('look', 'published', 'audit')
          UNION SELECT reads.read FROM reached JOIN reads ON reads.viewer = reached.oid
        )
        SELECT n.nspname || '.' || c.relname FROM reached JOIN pg_class AS c USING (oid)
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        """
    )
    return {name for (name,) in rows}


def test_every_table_is_shown_by_a_view_or_closed_with_a_reason(world: World) -> None:
    rows = ours(
        world,
        "SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE {ours} AND n.nspname NOT IN ('look', 'published', 'audit')",
    )
    tables = {name for (name,) in rows}
    assert len(tables) > 60
    undecided = tables - shown(world) - closed().keys()
    assert not undecided, DECIDE.format(", ".join(sorted(undecided)))
    assert closed().keys() <= tables, f"closed.toml names what is not there: {closed().keys() - tables}"
    assert not closed().keys() & shown(world), "closed, and shown by a view"
    assert all(reason.strip() for reason in closed().values())


def test_nothing_but_views_of_look_and_published_is_everybodys(world: World) -> None:
    open_to_all = ours(
        world,
        "SELECT n.nspname, c.relname, c.relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE {ours} AND has_table_privilege('public', c.oid,"
        " 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES')",
    )
    assert {(schema, kind) for schema, _, kind in open_to_all} == {("audit", "v"), ("look", "v"), ("published", "v")}
    written = ours(
        world,
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE {ours} AND has_table_privilege('public', c.oid,"
        " 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
    )
    assert written == []
    schemas = world.run(
        "SELECT n.nspname, has_schema_privilege('public', n.oid, 'CREATE') FROM pg_namespace AS n"
        " WHERE has_schema_privilege('public', n.oid, 'USAGE')"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = n.oid AND d.deptype = 'e')"
    )
    assert dict(schemas) == dict.fromkeys(
        ("audit", "information_schema", "look", "pg_catalog", "public", "published"), False
    )


def test_every_view_that_people_read_is_a_barrier_and_asks_for_the_scope(world: World) -> None:
    views = world.run(
        """
        SELECT c.relname, coalesce(c.reloptions, '{}') @> ARRAY['security_barrier=true'],
          coalesce(array_to_string(c.reloptions, ' '), '') ~ 'security_invoker', pg_get_viewdef(c.oid)
        FROM pg_class AS c WHERE c.relnamespace::regnamespace::text IN ('look', 'published', 'audit')
        """
    )
    assert len(views) > 20
    for name, barrier, invoker, definition in views:
        assert barrier, name
        assert not invoker, name
        assert any(word in definition for word in ("access.scope()", "access.visible_", "look.")), name


def test_what_a_later_migration_makes_is_nobodys(own_world: World) -> None:
    own_world.run(
        "CREATE SCHEMA later; CREATE TABLE later.t (a int);"
        " CREATE FUNCTION later.f() RETURNS int LANGUAGE sql"
        " AS 'SELECT 1'; CREATE TABLE look.forgotten (a int); GRANT USAGE ON SCHEMA later TO PUBLIC"
    )
    assert own_world.run(
        "SELECT has_table_privilege('public', 'later.t', 'SELECT'), has_table_privilege('public', 'look.forgotten',"
        " 'SELECT'), has_function_privilege('public', 'later.f()', 'EXECUTE')"
    ) == [(False, False, False)]


def test_functions_that_read_as_the_owner_have_a_search_path_of_their_own(world: World) -> None:
    rows = world.run(
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')"
        " AND NOT coalesce(array_to_string(p.proconfig, ' '), '')"
        " ~ '(^| )search_path=pg_catalog, (public, )?pg_temp$'"
    )
    assert rows == []
