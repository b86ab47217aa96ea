"""Backups are whole or refused, restores are proved, and the programs are new enough."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from deploy.local.external import ExternalPostgres
from deploy.local.postgres import Postgres
from edge_agent.contract.errors import BadRecord, Misconfigured
from tests.services.plugin import fresh_database
from tests.services.timescale import NATIVE
from warehouse.backup import programs
from warehouse.backup.archive import read
from warehouse.backup.figures import differences, measure
from warehouse.backup.run import backup, restore, verified
from warehouse.cli import cli
from warehouse.migrate import Flavour, migrate, status
from warehouse.postgres import Connection, connect


@pytest.fixture
def kept(connection: Connection) -> Connection:
    connection.execute(
        """INSERT INTO registry.enterprise VALUES ('91310117MA1J00014T');
           INSERT INTO registry.meter (serial, carrier, unit) VALUES ('m-1', 'electricity', 'kWh');
           SELECT ingest.ensure_month('2025-05-01');
           INSERT INTO ingest.reading_gauge
           SELECT 1, timestamptz '2025-05-02Z' + n * interval '1 minute', n / 3.0, 0, n
           FROM generate_series(1, 500) n"""
    )
    return connection


def test_a_restore_is_proved_and_a_change_is_seen(
    kept: Connection, warehouse: str, postgres: Postgres | ExternalPostgres, tmp_path: Path
) -> None:
    folder = tmp_path / "monday"
    result = CliRunner().invoke(cli, ["backup", "--to", str(folder), "--database", warehouse])
    assert result.exit_code == 0, result.output
    assert read(folder).figures.tables["ingest.reading_gauge"].rows == 500
    with fresh_database(postgres) as dsn:
        done = restore(dsn, folder, jobs=2)
        assert done.differences == ()
        with connect(dsn, application="test") as other:
            assert status(other).pending == ()
            assert [migration.number for migration in status(other).applied] == [
                migration.number for migration in status(kept).applied
            ]
            # A float's last bit, of one row of 500.
            other.execute("UPDATE ingest.reading_gauge SET v = v + 1e-13 WHERE t = '2025-05-02 01:00Z'")
            assert list(verified(dsn, read(folder))) == [
                "ingest.reading_gauge: the same number of rows, other contents"
            ]
            other.execute("DELETE FROM ingest.reading_gauge WHERE t = '2025-05-02 01:00Z'")
            assert list(verified(dsn, read(folder))) == ["ingest.reading_gauge: 500 rows in the backup, 499 here"]
        with pytest.raises(Misconfigured, match="is not empty"):
            restore(dsn, folder)
    with pytest.raises(Misconfigured, match="folder of its own"):
        backup(warehouse, folder)


def test_a_role_that_is_missing_is_made_without_log_in_and_keeps_out_everybody_else(
    kept: Connection, warehouse: str, postgres: Postgres | ExternalPostgres, tmp_path: Path
) -> None:
    role = f"park_{kept.info.dbname}"
    kept.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
    try:
        kept.execute(SQL("GRANT SELECT ON registry.meter TO {}").format(Identifier(role)))
        backup(warehouse, tmp_path / "b")
        kept.execute(SQL("DROP OWNED BY {}; DROP ROLE {}").format(Identifier(role), Identifier(role)))
        with fresh_database(postgres) as dsn, connect(dsn, application="test") as other:
            result = CliRunner().invoke(cli, ["restore", str(tmp_path / "b"), "--database", dsn])
            assert result.exit_code == 0, result.output
            assert role in result.output
            found = other.execute(
                "SELECT rolcanlogin, has_table_privilege(oid, 'registry.meter', 'SELECT'),"
                " has_table_privilege(oid, 'registry.enterprise', 'SELECT') FROM pg_roles WHERE rolname = %s",
                [role],
            ).fetchall()
            assert found == [(False, True, False)]
            other.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
    finally:
        kept.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(role)))


def test_a_backup_that_is_damaged_or_not_complete_is_refused(kept: Connection, warehouse: str, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    backup(warehouse, folder)
    (data,) = [path for path in (folder / "dump").iterdir() if path.name == "toc.dat"]
    data.write_bytes(data.read_bytes() + b"x")
    with pytest.raises(BadRecord, match=r"toc\.dat"):
        restore(warehouse, folder)
    (folder / "backup.json").unlink()
    with pytest.raises(Misconfigured, match="no complete backup"):
        restore(warehouse, folder)
    assert measure(kept).tables["registry.meter"].rows == 1


def test_every_difference_is_named(kept: Connection) -> None:
    before = measure(kept)
    kept.execute("CREATE TABLE energy.other (a int); UPDATE ingest.reading_gauge SET q = 1 WHERE message = 7")
    kept.execute("INSERT INTO ingest.sink_offset VALUES ('c', 'i', 't', 0, 5)")
    assert list(differences(before, before)) == []
    assert list(differences(before, measure(kept))) == [
        "energy.other: was not in the backup",
        "ingest.reading_gauge: the same number of rows, other contents",
        "ingest.sink_offset: 0 rows in the backup, 1 here",
        "Kafka's offsets differ",
    ]


def test_timescaledb_has_the_functions_that_a_restore_calls(timescale_database: str) -> None:
    with connect(timescale_database, application="test") as there:
        migrate(there, Flavour.TIMESCALE)
        found = there.execute(
            "SELECT to_regprocedure('timescaledb_pre_restore()') IS NOT NULL,"
            " to_regprocedure('timescaledb_post_restore()') IS NOT NULL"
        )
        assert found.fetchall() == [(True, True)]


def test_a_native_timescaledb_comes_back(native_timescale: str, tmp_path: Path) -> None:
    with connect(native_timescale, application="test") as there:
        migrate(there, Flavour.TIMESCALE)
        there.execute(
            """INSERT INTO ingest.reading_gauge
               SELECT 1, timestamptz '2025-05-02Z' + n * interval '1 hour', n / 3.0, 0, n
               FROM generate_series(1, 500) n"""
        )
        there.execute("SELECT compress_chunk(c) FROM show_chunks('ingest.reading_gauge') AS c LIMIT 10")
    backup(native_timescale, tmp_path / "b")
    with fresh_database(ExternalPostgres(os.environ[NATIVE])) as dsn:
        assert restore(dsn, tmp_path / "b").differences == ()
        with connect(dsn, application="test") as there:
            there.execute("INSERT INTO ingest.reading_gauge VALUES (1, '2025-05-02 00:30Z', 1, 0, 1)")
            assert there.execute("SELECT count(*) FROM ingest.reading_gauge").fetchone() == (501,)


def _program(folder: Path, version: str) -> Path:
    folder.mkdir()
    path = folder / "pg_dump"
    path.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n", "utf-8")
    path.chmod(0o755)
    return path


def test_the_oldest_program_that_is_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, fit, new = (_program(tmp_path / name, name) for name in ("15.18", "17.2", "99.1"))
    monkeypatch.setenv("PATH", os.pathsep.join(str(one.parent) for one in (new, old, fit)))
    monkeypatch.setattr(programs, "_SYSTEM", ())
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert programs.find("pg_dump", 15) == old
    assert programs.find("pg_dump", 16) == fit
    assert programs.find("pg_dump", 18) == new
    with pytest.raises(Misconfigured, match=r"pg_dump of PostgreSQL 100 or later.*15\.18/pg_dump \(15\).*G60_PG_BIN"):
        programs.find("pg_dump", 100)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="found: none"):
        programs.find("pg_dump", 15)
    monkeypatch.setenv(programs.FOLDER, str(fit.parent))
    assert programs.find("pg_dump", 15) == fit


def test_a_failing_program_tells_its_words_and_no_password(
    warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _program(tmp_path / "bin", "99.1")
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump 99" && exit\necho "no: $*" >&2; exit 1\n')
    monkeypatch.setattr("warehouse.backup.run.find", lambda name, _: program.parent / name)
    with pytest.raises(Misconfigured, match=r"pg_dump failed:\nno: --dbname ") as caught:
        backup(warehouse, tmp_path / "b")
    password = conninfo_to_dict(warehouse)["password"]
    assert password
    assert str(password) not in str(caught.value)
    with pytest.raises(Misconfigured, match="no complete backup"):
        read(tmp_path / "b")
