"""Migrations: brings a database to the schema of this version, file by file, and says what it did.

`migrations/NNNN_name.sql` holds for both flavours; `NNNN_name.plain.sql` and `NNNN_name.timescale.sql` stand where
they differ. Each file is one transaction. What was applied is recorded with its checksum: a file that changed
afterwards, was taken away, or came later with a smaller number is refused, because two databases would then differ
under the same version.

Services should be stopped first; agents and Kafka keep what comes meanwhile. One that runs is waited for no longer than
:data:`LOCK_TIMEOUT`, since everybody else would wait behind the migration.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Final, NamedTuple

import psycopg
from psycopg.sql import SQL

from edge_agent.contract.errors import Misconfigured, Retryable
from warehouse.postgres import Connection, alone, statement, translated

_LOCK: Final = 0x6730_0001
"""Advisory lock: one migration at a time in a database."""
LOCK_TIMEOUT: Final = "10s"
"""How long a migration waits for a table that somebody uses."""
_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)(?:\.(plain|timescale))?\.sql")


class Flavour(StrEnum):
    """What keeps the readings: plain PostgreSQL partitions or TimescaleDB hypertables."""

    PLAIN = "plain"
    TIMESCALE = "timescale"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of this version, in the flavour of the database."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Checksum of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04} {self.name}"


class Applied(NamedTuple):
    """One migration that a database already has."""

    number: int
    name: str
    flavour: Flavour
    sha256: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a database stands to this version."""

    flavour: Flavour
    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]


def files(flavour: Flavour, folder: Iterable[tuple[str, str]] | None = None) -> tuple[Migration, ...]:
    """Return this version's migrations for ``flavour``, by number.

    ``folder`` gives (file name, text); by default those of the package. ``Misconfigured`` when a number is used twice,
    a file has a name of no known form, or one flavour lacks its file.
    """
    found: dict[int, dict[str | None, Migration]] = {}
    for file, text in _packaged() if folder is None else folder:
        match = _NAME.fullmatch(file)
        if match is None:
            raise Misconfigured(f"migration {file}: the name must be NNNN_name[.plain|.timescale].sql")
        number, name, only = int(match[1]), match[2], match[3]
        of_number = found.setdefault(number, {})
        if only in of_number or any(other.name != name for other in of_number.values()):
            raise Misconfigured(f"migration {number:04} stands for more than one file")
        of_number[only] = Migration(number, name, text)
    for number, forms in found.items():
        if set(forms) not in ({None}, {str(Flavour.PLAIN), str(Flavour.TIMESCALE)}):
            raise Misconfigured(f"migration {number:04}: one file for both flavours, or one for each")
    return tuple(forms.get(None) or forms[flavour] for _, forms in sorted(found.items()))


def outstanding(migrations: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """Return what is left to apply; ``Misconfigured`` when ``applied`` is not a beginning of ``migrations``."""
    by_number = {migration.number: migration for migration in migrations}
    for had in applied:
        ours = by_number.get(had.number)
        if ours is None:
            raise Misconfigured(
                f"the database has migration {had.number:04} {had.name}, which this version does not know: "
                "it was migrated by a newer version (数据库版本比程序新)"
            )
        if ours.sha256 != had.sha256:
            raise Misconfigured(f"migration {ours} was changed after it had been applied (已执行的迁移文件被修改)")
    last = max((had.number for had in applied), default=-1)
    have = {had.number for had in applied}
    left = tuple(migration for migration in migrations if migration.number not in have)
    for migration in left:
        if migration.number < last:
            raise Misconfigured(f"migration {migration} came after {last:04} had been applied: give it a higher number")
    return left


def status(connection: Connection) -> Status:
    """Return how the database stands to this version; changes nothing."""
    with translated():
        exists = connection.execute("SELECT to_regclass('warehouse.migration') IS NOT NULL").fetchone()
        applied = _applied(connection) if exists == (True,) else ()
        flavour = applied[0].flavour if applied else _detect(connection)
    return Status(flavour, applied, outstanding(files(flavour), applied))


def migrate(connection: Connection, flavour: Flavour | None = None) -> tuple[Migration, ...]:
    """Apply what is missing and return it; nothing when the database is up to date.

    Waits for another migration of the same database. The flavour is that of the first migration ever applied;
    for an empty database ``flavour``, or else TimescaleDB where the server offers it. ``Retryable`` when somebody uses
    a table for longer than :data:`LOCK_TIMEOUT`: the migration that needed it left nothing, those before it hold.
    """
    with alone(connection, _LOCK):
        connection.execute(statement("warehouse", "migration_table.sql"))
        applied = _applied(connection)
        chosen = applied[0].flavour if applied else flavour or _detect(connection)
        pending = outstanding(files(chosen), applied)
        for migration in pending:
            _apply(connection, migration, chosen)
    return pending


def require_current(connection: Connection) -> None:
    """Raise ``Misconfigured`` unless the database has every migration of this version."""
    pending = status(connection).pending
    if pending:
        raise Misconfigured(
            f"the database lacks {len(pending)} migrations, the first is {pending[0]}: run g60 warehouse migrate "
            "(请先执行数据库迁移)"
        )


def _packaged() -> Iterable[tuple[str, str]]:
    for entry in resources.files("warehouse").joinpath("migrations").iterdir():
        if entry.name.endswith(".sql"):
            yield entry.name, entry.read_text("utf-8")


def _applied(connection: Connection) -> tuple[Applied, ...]:
    rows = connection.execute(
        "SELECT number, name, flavour, sha256 FROM warehouse.migration ORDER BY number"
    ).fetchall()
    return tuple(Applied(number, name, Flavour(flavour), sha256) for number, name, flavour, sha256 in rows)


def _detect(connection: Connection) -> Flavour:
    row = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'").fetchone()
    return Flavour.PLAIN if row is None else Flavour.TIMESCALE


def _apply(connection: Connection, migration: Migration, flavour: Flavour) -> None:
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            # The simple protocol takes a whole file; text from our own package, no parameters.
            connection.execute(SQL(migration.text))
            connection.execute(
                statement("warehouse", "migration_record.sql"),
                {
                    "number": migration.number,
                    "name": migration.name,
                    "flavour": flavour,
                    "sha256": migration.sha256,
                },
            )
    except psycopg.errors.LockNotAvailable as error:
        users = connection.execute(statement("warehouse", "migration_waits_for.sql")).fetchall()
        raise Retryable(
            f"migration {migration} waited {LOCK_TIMEOUT} for a table that somebody uses, and was not applied: "
            f"stop the sink and the jobs and run it again (请先停止入库与定时任务); connected are: "
            f"{', '.join(sorted(name or '?' for (name,) in users))}"
        ) from error
    except psycopg.Error as error:
        error.add_note(f"in migration {migration}")
        raise
