"""Files to numbered lines, plain or gzipped, with bounded memory; what goes wrong with a file is mapped here."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import BadRecord, Retryable

HEAD_BYTES: Final = 65_536
_CHUNK_BYTES: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"


class Unreadable(Retryable):
    """A file is not there, or the system does not let us read it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one file from another: its name, its size, and a digest of its first 64 KiB."""

    name: str
    size: int
    head: str


def identify(path: Path) -> Identity:
    """Return the identity of the file at ``path``, or raise ``Unreadable``."""
    with _told(path), path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(0, 2)
        return Identity(path.name, file.tell(), hashlib.sha256(head).hexdigest()[:32])


@contextmanager
def open_lines(path: Path, max_bytes: int) -> Iterator[Iterator[tuple[int, str]]]:
    """Yield the lines of ``path`` with their numbers, from 1, without their ends.

    A line of more than ``max_bytes`` is cut one byte behind them. Bytes that are not UTF-8 become surrogates, so that
    such a line fails alone. Iterating raises ``Unreadable``, or ``BadRecord("damaged")`` when the compression does not
    hold what it says.
    """
    with ExitStack() as stack:
        with _told(path):
            stream: io.BufferedIOBase = stack.enter_context(path.open("rb"))
            packed = stream.read(2) == _GZIP
            stream.seek(0)
        if packed:
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
        # Outside of _told: what goes wrong in the caller is no fault of the file.
        yield _numbered(path, stream, max_bytes)


def _numbered(path: Path, stream: io.BufferedIOBase, max_bytes: int) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_split(path, stream, max_bytes + 1), start=1):
        plain = line.removeprefix(_BOM) if number == 1 else line
        yield number, plain.rstrip(b"\r").decode("utf-8", "surrogateescape")


def _split(path: Path, stream: io.BufferedIOBase, cut_bytes: int) -> Iterator[bytes]:
    rest = b""
    while True:
        with _told(path):
            # Not read: it throws away what it has when the rest is damaged.
            chunk = stream.read1(_CHUNK_BYTES)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line[:cut_bytes]
        rest = rest[:cut_bytes]
    if rest:
        yield rest


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadRecord("damaged", f"{path.name}: {error} (压缩文件损坏)") from error
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror or error} (无法读取文件)") from error
