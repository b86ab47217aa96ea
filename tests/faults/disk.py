"""A small disk of its own that can be filled and emptied again."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

DISK_BYTES: Final = 24 << 20
"""Room for a buffer of 8 MiB, as much of its log, and something to fill."""
FREE_BYTES: Final = 3 << 20
_PIECE: Final = b"\0" * (64 << 10)


class Disk:
    """A mounted file system; ``fill`` leaves no room on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> int:
        """Write until nothing more fits; return how many bytes that were."""
        with self._ballast.open("ab", buffering=0) as out:
            for piece in (_PIECE, _PIECE[:4096]):
                try:
                    while True:
                        out.write(piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        return self._ballast.stat().st_size

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


def make_roomy(outbox: Path) -> None:
    """Leave free pages in the buffer's file, as after any outage.

    Without them a full disk is an overflow: what cannot be sent before the disk is needed is given up, newest first,
    and named in the ledger. That is the policy, and not what is looked for here.
    """
    with closing(sqlite3.connect(outbox, timeout=60)) as database, database:
        database.execute("CREATE TABLE roomy (x BLOB)")
        database.execute("INSERT INTO roomy VALUES (zeroblob(?))", (FREE_BYTES,))
        database.execute("DROP TABLE roomy")


def shorten_log(outbox: Path) -> None:
    """Take SQLite's log back to nothing, so that the next commit needs room on the disk."""
    with closing(sqlite3.connect(outbox, timeout=60)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def mounted(folder: Path) -> Iterator[Disk | str]:
    """Mount a small tmpfs at ``folder``; give the reason instead where that is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700,uid={os.geteuid()}", "g60-faults", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        yield f"a tmpfs cannot be mounted here: {done.stderr.strip()}"
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
