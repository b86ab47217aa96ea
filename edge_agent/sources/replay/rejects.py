"""The rows that were refused, each once, with line and reason, in a CSV file that a person can mend and replay."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from edge_agent.contract.errors import BadRecord, Retryable

COLUMNS: Final = ("line", "reason", "detail", "row")


class Unwritable(Retryable):
    """The rejected rows cannot be kept, so nothing may go on."""


class Rejects:
    """Keeps rejected rows in ``path``.

    What it holds of lines beyond ``through``, written before a crash whose rows were never recorded, is cut off
    first; with ``through`` 0 it begins anew. Without a rejected row there is no file.
    """

    def __init__(self, path: Path, through: int) -> None:
        self.path = path
        self.count = 0
        self._through = through
        self._file: IO[bytes] | None = None
        self._dirty = False

    def __enter__(self) -> Self:
        try:
            if self.path.exists():
                kept = _kept_bytes(self.path, self._through) if self._through else 0
                if kept:
                    os.truncate(self.path, kept)
                else:
                    self.path.unlink()
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, line: int, row: str, error: BadRecord) -> None:
        """Keep ``row``; on disk after the next :meth:`sync`."""
        try:
            if self._file is None:
                self._file = self.path.open("ab")
                if self._file.tell() == 0:
                    self._file.write(_csv(COLUMNS))
            self._file.write(_csv((str(line), error.reason, error.detail, row)))
        except OSError as failed:
            raise self._unwritable(failed) from failed
        self.count += 1
        self._dirty = True

    def sync(self) -> None:
        """Return once everything added is on disk."""
        if self._file is None or not self._dirty:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error
        self._dirty = False

    def _unwritable(self, error: OSError) -> Unwritable:
        return Unwritable(
            f"{self.path}: {error.strerror or error} (无法写入拒收文件); "
            "set rejected_folder to a folder that can be written"
        )


def _csv(fields: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _kept_bytes(path: Path, through: int) -> int:
    """Return the bytes of the header and of the whole rows of lines up to ``through``."""
    kept = 0
    with path.open("rb") as file:
        for at, row in enumerate(file):
            first = row.partition(b",")[0]
            whole = row.endswith(b"\n") and (at == 0 or (first.isdigit() and int(first) <= through))
            if not whole:
                break
            kept += len(row)
    return kept
