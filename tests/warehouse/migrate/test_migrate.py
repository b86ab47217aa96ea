"""Migrations: applied once, in order, whole or not at all; a history that differs is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from click.testing import CliRunner

from edge_agent.contract.errors import Misconfigured
from warehouse import migrate as module
from warehouse.cli import cli
from warehouse.migrate import Applied, Flavour, Migration, files, migrate, outstanding, require_current, status
from warehouse.postgres import connect

ONE, TWO, THREE = (Migration(n, f"m{n}", f"create table public.m{n} (a int4)") for n in (1, 2, 30))


def had(*migrations: Migration) -> list[Applied]:
    return [Applied(one.number, one.name, Flavour.PLAIN, one.sha256) for one in migrations]


def test_a_file_for_both_flavours_or_one_for_each() -> None:
    folder = [("0002_b.plain.sql", "p"), ("0001_a.sql", "x"), ("0002_b.timescale.sql", "t")]
    assert files(Flavour.PLAIN, folder) == (Migration(1, "a", "x"), Migration(2, "b", "p"))
    assert files(Flavour.TIMESCALE, folder) == (Migration(1, "a", "x"), Migration(2, "b", "t"))


@pytest.mark.parametrize(
    "names",
    [["a.sql"], ["0001_a.sql", "0001_b.sql"], ["0001_a.plain.sql"], ["0001_a.sql", "0001_a.plain.sql"], ["01_a.sql"]],
)
def test_a_folder_that_is_not_clear_is_refused(names: list[str]) -> None:
    with pytest.raises(Misconfigured):
        files(Flavour.PLAIN, [(name, "") for name in names])


def test_what_is_left_are_the_files_after_the_last_one() -> None:
    assert outstanding([ONE, TWO, THREE], []) == (ONE, TWO, THREE)
    assert outstanding([ONE, TWO, THREE], had(ONE, TWO)) == (THREE,)


@pytest.mark.parametrize(
    ("applied", "words"),
    [
        (had(ONE, TWO, THREE, Migration(31, "new", "")), "newer version"),
        (had(Migration(1, "m1", "other")), "changed after"),
        (had(ONE, THREE), "higher number"),
    ],
)
def test_a_history_that_differs_is_refused(applied: list[Applied], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        outstanding([ONE, TWO, THREE], applied)


def test_an_empty_database_is_brought_up_and_a_second_run_does_nothing(database: str) -> None:
    with connect(database, application="test") as connection:
        assert status(connection).applied == ()
        assert connection.execute("select to_regnamespace('warehouse')").fetchone() == (None,)
        with pytest.raises(Misconfigured, match="g60 warehouse migrate"):
            require_current(connection)
        assert migrate(connection, Flavour.PLAIN) == files(Flavour.PLAIN)
        assert migrate(connection) == ()
        require_current(connection)
        assert status(connection).pending == ()


def test_a_file_is_applied_whole_or_not_at_all(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Migration(2, "m2", "create table public.half (a int4); create table public.half (a int4)")
    monkeypatch.setattr(module, "files", lambda flavour: (ONE, wrong))
    with connect(database, application="test") as connection:
        with pytest.raises(psycopg.errors.DuplicateTable) as failure:
            migrate(connection)
        assert failure.value.__notes__ == ["in migration 0002 m2"]
        assert connection.execute("select to_regclass('public.half')").fetchone() == (None,)
        assert [one.number for one in status(connection).applied] == [1]
        # The lock is free again.
        monkeypatch.setattr(module, "files", lambda flavour: (ONE, TWO))
        assert migrate(connection) == (TWO,)


def test_two_at_once_take_turns(database: str) -> None:
    def run() -> int:
        with connect(database, application="test") as connection:
            return len(migrate(connection, Flavour.PLAIN))

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(lambda _: run(), range(2))) == [0, len(files(Flavour.PLAIN))]


def test_the_flavour_stays_what_it_was_at_first(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        monkeypatch.setattr(module, "_detect", lambda connection: Flavour.TIMESCALE)
        assert status(connection).flavour is Flavour.PLAIN
        assert migrate(connection, Flavour.TIMESCALE) == ()


def test_the_command_says_what_it_does(database: str) -> None:
    def said(*more: str) -> list[str]:
        result = CliRunner().invoke(cli, ["migrate", "--database", database, *more])
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    wanted = files(Flavour.PLAIN)
    assert said("--status") == [f"plain, 0 applied, {len(wanted)} pending", *(f"pending {one}" for one in wanted)]
    assert said() == [*(f"applied {one}" for one in wanted), "up to date (plain)"]
    assert said() == ["up to date (plain)"]
    assert said("--status") == [f"plain, {len(wanted)} applied, 0 pending"]
    wrong = CliRunner().invoke(cli, ["migrate", "--database", "host=["], env={})
    assert wrong.exit_code == 1


def test_every_table_and_column_of_ours_is_described(database: str) -> None:
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        connection.execute("select ingest.ensure_month('2026-11-01')")
        bare = connection.execute(
            """select n.nspname, c.relname, a.attname
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               cross join lateral (
                 select 0 as attnum, null::name as attname
                 union all select attnum, attname from pg_attribute
                 where attrelid = c.oid and attnum > 0 and not attisdropped
               ) a
               where n.nspname in ('ingest', 'warehouse') and c.relkind in ('r', 'p', 'v')
                 and col_description(c.oid, nullif(a.attnum, 0)) is null
                 and (a.attnum > 0 or obj_description(c.oid, 'pg_class') is null)"""
        ).fetchall()
        assert bare == []
        functions = connection.execute(
            """select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
               where n.nspname = 'ingest' and obj_description(p.oid, 'pg_proc') is null"""
        ).fetchall()
        assert functions == []


def test_a_month_is_made_once_and_only_where_readings_can_be(database: str) -> None:
    with connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)

        def made(month: str) -> int:
            row = connection.execute("select ingest.ensure_month(%s)", (month,)).fetchone()
            assert row is not None
            return int(row[0])

        assert [made("2026-10-31"), made("2026-10-01"), made("2015-01-01")] == [3, 0, 3]
        for month in ("2014-12-01", "2999-01-01"):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                made(month)
