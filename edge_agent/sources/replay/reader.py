"""One file, opened: batches of readings, with the bad rows set aside."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from edge_agent.contract.birth import SeriesSpec
from edge_agent.contract.errors import BadRecord
from edge_agent.sources import Reading
from edge_agent.sources.replay.lines import Unreadable, open_lines
from edge_agent.sources.replay.rejects import Rejects
from edge_agent.sources.replay.rows import MAX_LINE_BYTES, RowParser
from edge_agent.sources.replay.settings import Replay

REJECTS_IN_THE_LOG: Final = 10
"""Rejected rows of a file that are logged one by one; the rest is counted, and all are kept in its rejected file."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings up to and including ``line``; ``done`` at the end of the file."""

    readings: tuple[Reading, ...]
    line: int
    done: bool


class Reader:
    """The rows of one file, from the second line on; no two calls at a time."""

    def __init__(self, path: Path, lines: Iterator[tuple[int, str]], parser: RowParser, rejects: Rejects) -> None:
        self._path = path
        self._lines = lines
        self._parser = parser
        self._rejects = rejects
        self._failure: BadRecord | Unreadable | None = None
        self.line = 1

    @property
    def rejected(self) -> int:
        """Number of rows rejected since the file was opened."""
        return self._rejects.count

    def skip(self, through: int) -> None:
        """Go on to the line after ``through``."""
        for _ in islice(self._lines, through - self.line):
            pass
        self.line = through

    def batch(self, rows: int) -> Batch:
        """Return the readings of the next ``rows`` lines; those that were rejected are on disk.

        When the file fails on the way, what was read comes first, and the next call raises.
        """
        readings: list[Reading] = []
        lines = self._next(rows)
        for number, line in lines:
            if not line or line.isspace():
                continue
            try:
                readings.append(self._parser.parse(line))
            except BadRecord as error:
                self._reject(number, line, error)
        self._rejects.sync()
        self.line += len(lines)
        return Batch(tuple(readings), self.line, done=len(lines) < rows and self._failure is None)

    def _next(self, rows: int) -> list[tuple[int, str]]:
        if self._failure is not None:
            raise self._failure
        lines: list[tuple[int, str]] = []
        try:
            lines.extend(islice(self._lines, rows))
        except (BadRecord, Unreadable) as error:
            if not lines:
                raise
            self._failure = error
        return lines

    def _reject(self, number: int, line: str, error: BadRecord) -> None:
        self._rejects.add(number, line, error)
        if self._rejects.count <= REJECTS_IN_THE_LOG:
            _log.warning("replay.rejected file=%s line=%d %s", self._path.name, number, error)
        if self._rejects.count == REJECTS_IN_THE_LOG:
            _log.warning("replay.rejected file=%s further ones are kept in %s", self._path.name, self._rejects.path)


@contextmanager
def open_reader(
    path: Path, settings: Replay, specs: Mapping[str, SeriesSpec], latest_ms: int, through: int
) -> Iterator[Reader]:
    """Open ``path``, of which the lines up to ``through`` are settled; the reader stands after the header.

    ``BadRecord`` when the file has no usable header, ``Unreadable`` when it cannot be read.
    """
    with open_lines(path, MAX_LINE_BYTES) as lines:
        _, header = next(lines, (1, ""))
        try:
            parser = RowParser(header, specs, settings.registers, latest_ms)
        except BadRecord as error:
            raise BadRecord(error.reason, f"{path.name} line 1: {error.detail} (表头有误)") from error
        rejected = (settings.rejected_folder or path.parent) / f"{path.name}.rejected.csv"
        with Rejects(rejected, through) as rejects:
            yield Reader(path, lines, parser, rejects)
