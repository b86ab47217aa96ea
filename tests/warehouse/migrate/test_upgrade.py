"""From every released schema version to this one: nothing is lost, figures stay, the schema is a new database's."""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from edge_agent.contract.errors import Retryable
from warehouse import migrate as module
from warehouse.describe import markdown, read_schemas
from warehouse.energy.job import close
from warehouse.migrate import Flavour, files, migrate, require_current
from warehouse.postgres import Connection, connect

HERE = Path(__file__).parent
MIGRATIONS = Path(module.__file__).parent / "migrations"
IDENTITIES = """
select n.nspname, c.relname, a.attname
from pg_attribute as a join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace
where a.attidentity <> '' and n.nspname in ('ingest', 'registry', 'energy', 'stats', 'indicator')
"""


@dataclass(frozen=True, slots=True)
class Release:
    version: str
    last: int
    sha256: dict[str, str]

    def rows(self) -> dict[str, str]:
        """The CSV of each table that has rows."""
        text = (HERE / "releases" / f"{self.version}.txt").read_text("utf-8")
        parts = (part.partition("\n") for part in text.removeprefix("## ").split("\n## "))
        return {table: body.rstrip("\n") + "\n" for table, _, body in parts}


def released() -> list[Release]:
    found = tomllib.loads((HERE / "released.toml").read_text("utf-8"))["release"]
    return [Release(one["version"], one["last"], one["sha256"]) for one in found]


RELEASES = released()


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_released_migrations_never_change(release: Release) -> None:
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MIGRATIONS.glob("*.sql")}
    assert release.sha256 == {name: sha256 for name, sha256 in there.items() if int(name[:4]) <= release.last}


def named(parameter: tuple[Release, Flavour]) -> str:
    release, flavour = parameter
    return f"{release.version}-{flavour}"


@pytest.fixture(params=[(release, flavour) for release in RELEASES for flavour in Flavour], ids=named)
def old(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Connection, Release, Flavour]]:
    """A database of a released version with its rows."""
    release, flavour = request.param
    dsn = request.getfixturevalue("database" if flavour is Flavour.PLAIN else "timescale_database")
    with connect(dsn, application="test") as connection:
        with monkeypatch.context() as patched:
            of_release = [one for one in files(flavour) if one.number <= release.last]
            patched.setattr(module, "files", lambda _: of_release)
            migrate(connection, flavour)
        filled(connection, release)
        yield connection, release, flavour


def filled(connection: Connection, release: Release) -> None:
    """Put the release's rows into its tables, as they were, without what triggers would add."""
    with connection.transaction(), connection.cursor() as cursor:
        for month in ("2026-03-01", "2026-09-01"):
            cursor.execute("select ingest.ensure_month(%s)", [month])
        cursor.execute("set local session_replication_role = replica")
        for table, body in release.rows().items():
            columns = [name.strip('"') for name in body.partition("\n")[0].split(",")]
            name = Identifier(*table.split("."))
            # Some have rows from the migrations.
            cursor.execute(SQL("delete from {}").format(name))
            into = SQL("copy {} ({}) from stdin (format csv, header)").format(
                name, SQL(", ").join(map(Identifier, columns))
            )
            with cursor.copy(into) as copy:
                copy.write(body)
    for schema, table, column in connection.execute(IDENTITIES.encode()).fetchall():
        connection.execute(
            SQL("select setval(pg_get_serial_sequence({}, {}), greatest(1, (select max({}) from {})))").format(
                f"{schema}.{table}", column, Identifier(column), Identifier(schema, table)
            )
        )


def standing(connection: Connection, release: Release) -> dict[str, Counter[tuple[Any, ...]]]:
    """The rows of the release's tables in the columns that they had, as text."""
    found = {}
    for table, body in release.rows().items():
        columns = [name.strip('"') for name in body.partition("\n")[0].split(",")]
        query = SQL("select {} from {}").format(
            SQL(", ").join(SQL("{}::text").format(Identifier(name)) for name in columns), Identifier(*table.split("."))
        )
        found[table] = Counter(connection.execute(query).fetchall())
    return found


def accounts(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select meter_id, feed_in, start, energy, quality, reason from energy.quarter order by 1, 2, 3"
    ).fetchall()


@pytest.mark.slow
def test_it_comes_to_this_version_with_all_it_had(old: tuple[Connection, Release, Flavour]) -> None:
    connection, release, flavour = old
    before, accounted = standing(connection, release), accounts(connection)
    assert len(before) >= 30
    assert len(accounted) > 300
    applied = migrate(connection)
    assert [one.number for one in applied] == [one.number for one in files(flavour) if one.number > release.last]
    require_current(connection)
    after = standing(connection, release)
    lost = {table: rows - after[table] for table, rows in before.items()}
    assert {table: rows for table, rows in lost.items() if rows} == {}

    # The same figures from the same readings, and roll-ups that sum up to them.
    through = connection.execute("select closed_through from ingest.watermark").fetchone()
    assert through is not None
    connection.execute("insert into energy.dirty (meter_id, t_from, cause) values (null, '-infinity', 'closed')")
    close(connection, through[0])
    assert accounts(connection) == accounted
    sums = connection.execute(
        """select (select sum(energy) from energy.quarter), (select sum(energy) from energy.hour),
                  (select sum(energy) from energy.day), (select sum(energy) from energy.month)"""
    ).fetchone()
    assert sums is not None
    assert len(set(sums)) == 1
    # It goes on.
    close(connection, datetime(2026, 3, 5, 16, tzinfo=UTC))
    assert len(accounts(connection)) > len(accounted)


@pytest.mark.slow
def test_its_schema_is_that_of_a_new_database(old: tuple[Connection, Release, Flavour]) -> None:
    connection, _, flavour = old
    migrate(connection)
    upgraded = (markdown(read_schemas(connection)), shape(connection))
    for (schema,) in connection.execute(
        "select nspname from pg_namespace where nspname !~ '^(pg_|_?timescaledb_)' "
        "and nspname not in ('information_schema', 'public')"
    ).fetchall():
        connection.execute(SQL("drop schema {} cascade").format(Identifier(schema)))
    migrate(connection, flavour)
    assert upgraded == (markdown(read_schemas(connection)), shape(connection))


def shape(connection: Connection) -> list[tuple[Any, ...]]:
    """Columns, constraints, indexes, triggers and who may do what, but for partitions and chunks."""
    return connection.execute(
        """with ours as (
             select c.oid, n.nspname || '.' || c.relname as name, c.relacl from pg_class as c
             join pg_namespace as n on n.oid = c.relnamespace
             where n.nspname !~ '^(pg_|_?timescaledb_)' and n.nspname not in ('information_schema', 'public')
               and c.relkind in ('r', 'p', 'v') and not c.relispartition
           )
           select o.name, a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text
           from ours as o join pg_attribute as a on a.attrelid = o.oid where a.attnum > 0 and not a.attisdropped
           union all select o.name, 'constraint', pg_get_constraintdef(k.oid) from ours as o join pg_constraint as k
             on k.conrelid = o.oid
           union all select o.name, 'index', pg_get_indexdef(i.indexrelid) from ours as o
             join pg_index as i on i.indrelid = o.oid
           union all select o.name, 'trigger', pg_get_triggerdef(t.oid) from ours as o
             join pg_trigger as t on t.tgrelid = o.oid where not t.tgisinternal
           union all select o.name, 'rights', o.relacl::text from ours as o
           order by 1, 2, 3"""
    ).fetchall()


def test_what_somebody_uses_is_waited_for_and_then_named(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services that run meanwhile are not kept waiting behind a migration that waits for one of them."""
    monkeypatch.setattr(module, "LOCK_TIMEOUT", "200ms")
    with connect(database, application="test") as connection:
        of_today = files(Flavour.PLAIN)
        monkeypatch.setattr(module, "files", lambda _: of_today[:-1])
        migrate(connection, Flavour.PLAIN)
        last = module.Migration(9999, "later", "alter table ingest.ledger add column later int4")
        monkeypatch.setattr(module, "files", lambda _: (*of_today[:-1], last))
        with connect(database, application="g60 sink kept") as sink, sink.transaction():
            sink.execute("select count(*) from ingest.ledger")
            with pytest.raises(Retryable, match=r"9999 later .*g60 sink kept"):
                migrate(connection)
        assert migrate(connection) == (last,)
        assert connection.execute("select current_setting('lock_timeout')").fetchone() == ("0",)
