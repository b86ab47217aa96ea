"""A meter's own record of what it answered: append-only JSON lines, written before the answer leaves.

Three kinds of lines:

- `{"life", "meter"}` opens the journal for one process; `life` is nanoseconds UTC.
- `{"at", "conn", "fc", "addr", "n", "values"}` is an answer. `at`: UTC ms, taken when the registers were computed;
  `conn`: number of the connection within this life; `values`: the quantities that the read covered whole, as answered:
  registers as integers in least digits, a power factor as a fraction.
- The same without `values` is a request that got no answer, for the meter was silent.

An answer is *followed* when the same connection later asks for the same block. An agent records a poll on disk before
it polls that device again, and gives a connection up when a request times out, so a followed answer is on its disk.
What became of an unfollowed one, at a crash, only the agent knows.

Lines go to the system with one write each, so they survive the death of this process, not that of the machine. A torn
line belongs to an answer that never left.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from deploy.local.meters.meter import Value
from deploy.local.meters.modbus import Read
from deploy.local.meters.settings import Quantity
from edge_agent.contract.errors import Misconfigured, Retryable


class JournalFull(Retryable):
    """The journal has reached its bound, or the disk is full; the meter must not answer."""


class JournalWriter:
    """Appends to one meter's journal; a context manager that opens and closes the file."""

    def __init__(self, path: Path, meter: str, life: int, max_bytes: int) -> None:
        self._path = path
        self._meter = meter
        self._life = life
        self._max_bytes = max_bytes
        self._fd = -1
        self._size = 0
        self._torn = False

    def __enter__(self) -> Self:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Misconfigured(f"{self._path}: cannot be opened (无法打开日志文件): {error}") from error
        self._size = os.fstat(self._fd).st_size
        self._torn = self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"
        self._write({"life": self._life, "meter": self._meter})
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
        self._fd = -1

    def answered(self, at_ms: int, connection: int, read: Read, values: Mapping[Quantity, Value]) -> None:
        """Record an answer that is about to leave; ``JournalFull`` when it must not."""
        self._write(_line(at_ms, connection, read) | {"values": {str(name): value for name, value in values.items()}})

    def asked(self, at_ms: int, connection: int, read: Read) -> None:
        """Record a request that gets no answer; ``JournalFull`` when there is no room."""
        self._write(_line(at_ms, connection, read))

    def _write(self, line: dict[str, object]) -> None:
        raw = (b"\n" if self._torn else b"") + json.dumps(line, separators=(",", ":")).encode() + b"\n"
        if self._size + len(raw) > self._max_bytes:
            raise JournalFull(f"{self._path}: {self._size} bytes, at most {self._max_bytes}")
        try:
            written = os.write(self._fd, raw)
        except OSError as error:
            raise JournalFull(f"{self._path}: {error}") from error
        self._size += written
        self._torn = written != len(raw)
        if self._torn:
            raise JournalFull(f"{self._path}: {written} of {len(raw)} bytes written")


def _line(at_ms: int, connection: int, read: Read) -> dict[str, object]:
    return {"at": at_ms, "conn": connection, "fc": read.function, "addr": read.address, "n": read.count}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one meter."""

    meter: str
    at_ms: int
    """UTC ms, when the values were computed."""
    connection: tuple[int, int]
    """Life of the meter's process and number of the connection within it."""
    values: Mapping[str, Value]
    """By quantity."""
    followed: bool


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal read back."""

    answers: tuple[Answer, ...]
    """In the order they were given."""
    torn: int
    """Lines cut off by the death of the meter; their answers never left."""


def read_journal(path: Path) -> Journal:
    """Read a journal, which may still be growing, and mark the followed answers."""
    answers: list[Answer] = []
    pending: dict[tuple[int, int, int, int, int], int] = {}
    meter, life, torn = "", 0, 0
    for raw in path.read_bytes().split(b"\n"):
        if not raw:
            continue
        try:
            line = json.loads(raw)
        except ValueError:
            torn += 1
            continue
        if "life" in line:
            meter, life = line["meter"], line["life"]
            continue
        block = (life, line["conn"], line["fc"], line["addr"], line["n"])
        followed = pending.pop(block, None)
        if followed is not None:
            answers[followed] = replace(answers[followed], followed=True)
        if "values" in line:
            pending[block] = len(answers)
            answers.append(Answer(meter, line["at"], block[:2], line["values"], followed=False))
    return Journal(tuple(answers), torn)
