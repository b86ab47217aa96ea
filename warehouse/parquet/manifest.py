"""``manifest.json`` of a folder of Parquet files: what stands there, from which database, and its checksums."""

from __future__ import annotations

import hashlib
import os
from datetime import date, datetime
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from edge_agent.contract.errors import BadRecord, Misconfigured
from edge_agent.contract.settings import Settings

NAME: Final = "manifest.json"
_PIECE: Final = 1 << 20


class File(Settings):
    """One file: ``month`` is none for a whole table, and for rows without a (finite) time."""

    path: str
    """Below the folder."""
    month: str | None
    """Month of Asia/Shanghai, ``2025-05``."""
    first_day: date | None
    """First day that it covers when it is not the whole month."""
    end_day: date | None
    """Day after the last one that it covers when it is not the whole month."""
    rows: int
    """How many."""
    size_bytes: int
    """Size."""
    sha256: str
    """Checksum."""
    taken_at: datetime
    """When its snapshot was taken."""
    snapshot: str
    """PostgreSQL's name of that snapshot; files with the same one are consistent with each other."""


class ColumnSaid(Settings):
    """One column."""

    name: str
    """Its name."""
    postgres: str
    """Its type in PostgreSQL."""
    arrow: str
    """Its type in the files."""


class Table(Settings):
    """One table or view."""

    kind: str
    """table or view."""
    time: str | None
    """Column by whose month it is divided."""
    columns: tuple[ColumnSaid, ...]
    """In the order of the table."""
    files: tuple[File, ...]
    """By month."""


class Migrated(Settings):
    """One migration that the database had."""

    number: int
    """Its number."""
    name: str
    """Its name."""
    sha256: str
    """Its checksum."""


class Manifest(Settings):
    """All of it."""

    format: int = Field(default=1, ge=1, le=1)
    """Version of this description."""
    flavour: str
    """plain or timescale."""
    migrations: tuple[Migrated, ...]
    """Those that the database had at the last export."""
    sequences: dict[str, int | None]
    """Where each stood at the last export."""
    tables: dict[str, Table]
    """By name."""


def read(folder: Path) -> Manifest | None:
    """Return the manifest of ``folder``; ``None`` when it has none, ``BadRecord`` when it cannot be understood."""
    try:
        text = (folder / NAME).read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"{folder / NAME} cannot be read (无法读取): {error}") from error
    try:
        return Manifest.model_validate_json(text)
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadRecord("manifest", f"{folder / NAME}: {error}") from error


def write(folder: Path, manifest: Manifest) -> None:
    """Put ``manifest`` in the place of the one before, whole or not at all."""
    put(folder / NAME, manifest)


def put(path: Path, description: Settings) -> None:
    """Write a description as JSON in the place of what stands at ``path``, whole or not at all."""
    draft = path.with_name(f".{path.name}.tmp")
    with draft.open("w", encoding="utf-8") as file:
        file.write(description.model_dump_json(indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def sha256(path: Path) -> str:
    """Return the checksum of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
