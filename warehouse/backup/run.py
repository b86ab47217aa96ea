"""Takes a backup of one snapshot, and brings it back into an empty database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from edge_agent.contract.errors import Misconfigured
from warehouse.backup import archive as archives
from warehouse.backup.archive import DUMP, Archive
from warehouse.backup.figures import differences, measure
from warehouse.backup.programs import find
from warehouse.migrate import Flavour
from warehouse.parquet.snapshot import schema_version, snapshot
from warehouse.postgres import Connection, connect, statement, translated

_SQL: Final = "warehouse.backup"
_LAST_WORDS: Final = 2_000
"""Characters of what a program said that are told when it failed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to."""

    archive: Archive
    roles: tuple[str, ...]
    """Roles that had to be made; none of them can log in."""
    differences: tuple[str, ...] | None
    """In what the database differs from the backup; ``None`` when that was not looked at."""


def backup(dsn: str, folder: Path, *, jobs: int = 1) -> Archive:
    """Write a backup into ``folder``, which must be new or empty; returns its description.

    Dump and figures are of one snapshot, while everybody goes on writing. Without ``backup.json`` it is not complete.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Misconfigured(f"{folder} is not empty: each backup has a folder of its own (备份目录必须为空)")
    with connect(dsn, application="g60 backup") as connection, translated():
        version = connection.info.server_version
        program = find("pg_dump", version // 10_000)
        flavour, migrations = schema_version(connection)
        folder.mkdir(parents=True, exist_ok=True)
        with snapshot(connection):
            row = connection.execute(
                "SELECT pg_export_snapshot(), now(),"
                " (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')"
            ).fetchone()
            assert row is not None  # noqa: S101  # it always gives a row
            exported, taken_at, timescaledb = row
            roles = tuple(name for (name,) in connection.execute(statement(_SQL, "roles_named.sql")))
            _run(
                program,
                dsn,
                "--format=directory",
                f"--file={folder / DUMP}",
                f"--jobs={jobs}",
                f"--snapshot={exported}",
                "--no-password",
            )
            figures = measure(connection)
    archive = Archive(
        taken_at=taken_at,
        server_version=version,
        flavour=flavour,
        timescaledb=timescaledb,
        migrations=migrations,
        roles=roles,
        files=archives.dump_files(folder),
        figures=figures,
    )
    archives.write(folder, archive)
    return archive


def restore(dsn: str, folder: Path, *, jobs: int = 1, verify: bool = True) -> Restored:
    """Bring the backup of ``folder`` into the empty database ``dsn``.

    ``Misconfigured`` when the database is not empty or its server older than the backup's. On plain PostgreSQL with one
    job it is all or nothing. ``verify`` reads every row and compares with the figures of the backup.
    """
    archive = archives.read(folder)
    with connect(dsn, application="g60 restore") as connection, translated():
        version = connection.info.server_version
        if version // 10_000 < archive.server_version // 10_000:
            raise Misconfigured(
                f"the backup is of PostgreSQL {archive.server_version // 10_000}, this server is {version // 10_000} "
                "(目标服务器版本低于备份)"
            )
        program = find("pg_restore", version // 10_000)
        if connection.execute(statement(_SQL, "relations_there.sql")).fetchone() != (0,):
            raise Misconfigured(
                f"the database {connection.info.dbname} is not empty: restore into a new one (目标数据库必须为空)"
            )
        roles = _make_roles(connection, archive)
        timescale = archive.flavour == Flavour.TIMESCALE
        if timescale:
            _timescale_version(connection, archive)
            connection.execute("SELECT timescaledb_pre_restore()")
        whole = ("--single-transaction",) if jobs == 1 and not timescale else (f"--jobs={jobs}",)
        try:
            _run(program, dsn, "--exit-on-error", "--no-owner", "--no-password", *whole, str(folder / DUMP))
        finally:
            if timescale:
                connection.execute("SELECT timescaledb_post_restore()")
        connection.execute("ANALYZE")
    return Restored(archive, roles, tuple(verified(dsn, archive)) if verify else None)


def verified(dsn: str, archive: Archive) -> Iterator[str]:
    """Name everything in which the database is not what the backup says; reads every row."""
    with connect(dsn, application="g60 verify") as connection, translated(), snapshot(connection):
        yield from differences(archive.figures, measure(connection))


def _make_roles(connection: Connection, archive: Archive) -> tuple[str, ...]:
    names = {"names": list(archive.roles)}
    missing = tuple(name for (name,) in connection.execute(statement(_SQL, "roles_missing.sql"), names))
    for name in missing:
        connection.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(name)))
    return missing


def _timescale_version(connection: Connection, archive: Archive) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    if row != (archive.timescaledb,):
        raise Misconfigured(
            f"the backup is of TimescaleDB {archive.timescaledb}, here is {row[0] if row else 'none'}: restore with "
            "the same version, then ALTER EXTENSION timescaledb UPDATE (TimescaleDB 版本必须一致)"
        )


def _run(program: Path, dsn: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database; the password is not on its command line."""
    address = conninfo_to_dict(dsn)
    password = address.pop("password", None)
    environment: Mapping[str, str] = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    place = make_conninfo(**{name: str(value) for name, value in address.items()})
    argv = (str(program), "--dbname", place, *arguments)
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Misconfigured(f"{program} cannot be run (无法运行): {error}") from error
    if done.returncode != 0:
        raise Misconfigured(f"{program.name} failed:\n{done.stderr.strip()[-_LAST_WORDS:]}")
