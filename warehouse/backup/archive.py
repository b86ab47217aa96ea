"""``backup.json`` beside a dump: what it is of, its files and the figures that a restore must come to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from edge_agent.contract.errors import BadRecord, Misconfigured
from edge_agent.contract.settings import Settings
from warehouse.backup.figures import Figures
from warehouse.parquet.manifest import Migrated, put, sha256

NAME: Final = "backup.json"
DUMP: Final = "dump"


class DumpFile(Settings):
    """One file of the dump."""

    path: str
    """Below the folder."""
    size_bytes: int
    """Size."""
    sha256: str
    """Checksum."""


class Archive(Settings):
    """All of it."""

    format: int = Field(default=1, ge=1, le=1)
    """Version of this description."""
    taken_at: datetime
    """When the snapshot was taken: what was committed later is not in it."""
    server_version: int
    """Of PostgreSQL, as in server_version_num."""
    flavour: str
    """plain or timescale."""
    timescaledb: str | None
    """Version of the extension."""
    migrations: tuple[Migrated, ...]
    """Those that the database had."""
    roles: tuple[str, ...]
    """Roles that owners and rights in the dump name; the dump does not make them."""
    files: tuple[DumpFile, ...]
    """Of the dump."""
    figures: Figures
    """Of the database."""


def dump_files(folder: Path) -> tuple[DumpFile, ...]:
    """Return the files of the dump in ``folder`` with their checksums."""
    return tuple(
        DumpFile(path=str(path.relative_to(folder)), size_bytes=path.stat().st_size, sha256=sha256(path))
        for path in sorted((folder / DUMP).iterdir())
    )


def write(folder: Path, archive: Archive) -> None:
    """Put the description down; a backup without one is not complete."""
    put(folder / NAME, archive)


def read(folder: Path) -> Archive:
    """Return the description of a backup whose files are all as they were written.

    ``Misconfigured`` when there is none, ``BadRecord`` when a file is missing or damaged.
    """
    try:
        archive = Archive.model_validate_json((folder / NAME).read_text("utf-8"))
    except OSError as error:
        raise Misconfigured(f"{folder} is no complete backup (不是完整的备份): {error}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadRecord("backup", f"{folder / NAME}: {error}") from error
    found = {file.path: file for file in dump_files(folder)} if (folder / DUMP).is_dir() else {}
    for file in archive.files:
        if found.get(file.path) != file:
            raise BadRecord("damaged", f"{file.path} is missing or not what was written (备份文件缺失或已损坏)")
    return archive
