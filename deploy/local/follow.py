"""The end of a log, and what is written to it next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from deploy.local.process import last_lines

_PIECE_BYTES: Final = 1 << 16


def followed(path: Path, lines: int, wait: Callable[[], bool]) -> Iterator[str]:
    """Yield the last ``lines`` lines, then what is appended, for as long as ``wait()`` says so.

    A log that is moved aside or cut while it is read (a restart does that) is followed into the new one.
    """
    file = path.open("rb")
    try:
        yield "".join(f"{line}\n" for line in last_lines(file, lines))
        while wait():
            yield from _rest(file)
            if _replaced(path, file):
                file.close()
                file = path.open("rb")
            elif os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)
        yield from _rest(file)
    finally:
        file.close()


def _rest(file: IO[bytes]) -> Iterator[str]:
    while piece := file.read(_PIECE_BYTES):
        yield piece.decode("utf-8", errors="replace")


def _replaced(path: Path, file: IO[bytes]) -> bool:
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    then = os.fstat(file.fileno())
    return (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino)
