"""Wakes a thread that waits in ``select``."""

from __future__ import annotations

import socket
from contextlib import suppress
from types import TracebackType
from typing import Self


class Wakeup:
    """A pair of sockets while it is entered: :meth:`set` from any thread makes the other end readable."""

    def __init__(self) -> None:
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._is_set = False

    def __enter__(self) -> Self:
        read, write = self._pair = socket.socketpair()
        read.setblocking(False)
        write.setblocking(False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in self._ends():
            end.close()
        self._pair = None

    def fileno(self) -> int:
        """Return what to wait on for reading; only while it is entered."""
        return self._ends()[0].fileno()

    def set(self) -> None:
        """Wake the waiting thread; cheap when it was woken already and has not looked yet."""
        pair = self._pair
        if pair is not None and not self._is_set:
            self._is_set = True
            with suppress(OSError):  # full: it is awake already; closed: nobody waits any more
                pair[1].send(b"\0")

    def clear(self) -> None:
        """Note that the thread is awake; to be called before it looks for what there is to do."""
        with suppress(BlockingIOError):
            self._ends()[0].recv(64)
        # After reading: a byte sent in between would be read here, and the next call of `set` must send another.
        self._is_set = False

    def _ends(self) -> tuple[socket.socket, socket.socket]:
        if self._pair is None:
            raise ValueError("not entered")
        return self._pair
