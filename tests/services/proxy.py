"""A TCP proxy on loopback that does to connections what networks do: cut, stall, leave half open, throttle, refuse.

What passes is never changed, only delayed or cut off. One thread moves all bytes; a call takes effect before it
returns. The buffer of a direction is bounded, so whoever sends into a stalled proxy feels it as on a real network.

Kafka tells its clients its own address: give it the proxy's as ``advertised.listeners``, or they go round the proxy.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self

from tests.services.plugin import free_ports

PIECE_BYTES: Final = 16 << 10
BUFFER_BYTES: Final = 64 << 10
"""Bytes of one direction of one connection that the proxy holds, at most."""
_LOOK_S: Final = 0.05
_RESET: Final = struct.pack("ii", 1, 0)


class _End:
    """One side of a connection: its socket, what waits to be sent on it, and whether its peer may still send."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.waiting = bytearray()
        self.ended = False
        """Its peer will send no more."""
        self.told = False
        """It was told that the other side sends no more."""


class _Pair:
    """A client's connection and the one to the target that belongs to it."""

    def __init__(self, client: socket.socket, target: socket.socket) -> None:
        self.client = _End(client)
        self.target = _End(target)
        self.blackhole = False
        """The target is gone, and the client does not know."""
        self.left_up: int | None = None
        """Bytes that the client may still send until both are cut off; ``None``: any number."""

    def ends(self) -> tuple[tuple[_End, _End], tuple[_End, _End]]:
        return (self.client, self.target), (self.target, self.client)

    def close(self, *, reset: bool) -> None:
        for end in (self.client, self.target):
            if reset:
                with suppress(OSError):
                    end.inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.inner.close()


class Proxy:
    """Listens on ``127.0.0.1``:``port`` and passes every connection on to the target, until it is closed.

    A target that is down makes the proxy reset the connection at once: a client sees the same trouble, a little later.
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        self._target = (target_host, target_port)
        self._lock = threading.RLock()
        self._pairs: set[_Pair] = set()
        self._stalled = False
        self._cut_after: int | None = None
        self._bytes_per_s: float | None = None
        self._allowed = 0.0
        self._allowed_at_mono_s = time.monotonic()
        self.connections = 0
        """Connections accepted so far."""
        self.bytes_up = 0
        """Bytes passed from clients to the target so far."""
        self.bytes_down = 0
        """Bytes passed from the target to clients so far."""
        (self.port,) = free_ports(1)
        """Where it listens; the same for as long as it lives."""
        self.host = "127.0.0.1"
        self._listening: socket.socket | None = self._listen()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def open(self) -> int:
        """Connections that are open now."""
        with self._lock:
            return len(self._pairs)

    def cut(self) -> int:
        """Reset all connections on both sides, bytes under way are lost; return how many. New ones are taken."""
        with self._lock:
            return self._drop_all(reset=True)

    def cut_after(self, count: int) -> None:
        """Let ``count`` more bytes through from each client that is connected, then reset its connection.

        A ``count`` smaller than a message cuts in the middle of it: the target gets its beginning. Without open
        connections it holds for the next one.
        """
        with self._lock:
            for pair in self._pairs:
                pair.left_up = count
            if not self._pairs:
                self._cut_after = count

    def half_open(self) -> int:
        """Reset the target's side of all connections and leave the clients' open, silent; return how many.

        So a client sees a server that lost power: what it sends vanishes, until its own time-out.
        """
        with self._lock:
            for pair in self._pairs:
                pair.blackhole = True
                with suppress(OSError):
                    pair.target.inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                pair.target.inner.close()
                pair.target.waiting.clear()
            return len(self._pairs)

    def stall(self) -> None:
        """Pass nothing until :meth:`resume`, in either direction; connections stay, and new ones are taken."""
        with self._lock:
            self._stalled = True

    def resume(self) -> None:
        """Pass everything again, what had waited first."""
        with self._lock:
            self._stalled = False

    def throttle(self, bytes_per_s: float | None) -> None:
        """Pass at most so many bytes per second, all connections and both directions together; ``None``: any."""
        with self._lock:
            self._bytes_per_s = bytes_per_s
            self._allowed = 0.0
            self._allowed_at_mono_s = time.monotonic()

    def refuse(self) -> int:
        """Reset all connections and refuse new ones, as a server that is down; return how many were reset."""
        with self._lock:
            if self._listening is not None:
                self._listening.close()
                self._listening = None
            return self._drop_all(reset=True)

    def accept(self) -> None:
        """Take connections again after :meth:`refuse`, on the same port."""
        with self._lock:
            if self._listening is None:
                self._listening = self._listen()

    def close(self) -> None:
        """End all connections and listen no more."""
        self._closed.set()
        self._thread.join()
        with self._lock:
            if self._listening is not None:
                self._listening.close()
                self._listening = None
            self._drop_all(reset=False)

    def _listen(self) -> socket.socket:
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((self.host, self.port))
        found.listen(128)
        found.setblocking(False)
        return found

    def _drop_all(self, *, reset: bool) -> int:
        dropped = len(self._pairs)
        for pair in self._pairs:
            pair.close(reset=reset)
        self._pairs.clear()
        return dropped

    def _run(self) -> None:
        while not self._closed.is_set():
            with selectors.DefaultSelector() as selector:
                with self._lock:
                    self._watch(selector)
                if not selector.get_map():
                    self._closed.wait(_LOOK_S)
                    continue
                # Without the lock: what a call closes meanwhile is silent, or reported and looked at again below.
                ready = selector.select(_LOOK_S)
                with self._lock:
                    for key, _ in ready:
                        what: Callable[[], None] = key.data
                        what()

    def _watch(self, selector: selectors.BaseSelector) -> None:
        if self._listening is not None:
            selector.register(self._listening, selectors.EVENT_READ, self._take)
        if self._stalled or not self._may_pass():
            return
        for pair in self._pairs:
            for end, other in pair.ends():
                if end.inner.fileno() < 0:
                    continue
                events = 0
                if not end.ended and (pair.blackhole or len(other.waiting) < BUFFER_BYTES):
                    events |= selectors.EVENT_READ
                if end.waiting:
                    events |= selectors.EVENT_WRITE
                if events:
                    selector.register(end.inner, events, partial(self._move, pair))

    def _take(self) -> None:
        if self._listening is None:
            return
        try:
            client, _ = self._listening.accept()
        except OSError:
            return
        self.connections += 1
        try:
            target = socket.create_connection(self._target, timeout=5.0)
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        for found in (client, target):
            found.setblocking(False)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = _Pair(client, target)
        pair.left_up, self._cut_after = self._cut_after, None
        self._pairs.add(pair)

    def _move(self, pair: _Pair) -> None:
        if pair not in self._pairs or self._stalled:
            return
        try:
            for end, other in pair.ends():
                self._read(pair, end, other)
            for end, other in pair.ends():
                self._write(pair, end, other)
        except OSError:
            self._drop(pair)
            return
        if pair.left_up == 0 or (pair.client.ended and (pair.blackhole or pair.target.ended) and not _holds(pair)):
            self._drop(pair)

    def _read(self, pair: _Pair, end: _End, other: _End) -> None:
        if end.ended or end.inner.fileno() < 0 or len(other.waiting) >= BUFFER_BYTES:
            return
        size = self._piece()
        if end is pair.client and pair.left_up is not None:
            size = min(size, pair.left_up)
        if size == 0:
            return
        try:
            piece = end.inner.recv(size)
        except BlockingIOError:
            return
        end.ended = not piece
        if pair.blackhole:
            return
        other.waiting += piece
        self._allowed -= len(piece)
        if end is pair.client:
            self.bytes_up += len(piece)
            if pair.left_up is not None:
                pair.left_up -= len(piece)
        else:
            self.bytes_down += len(piece)

    def _write(self, pair: _Pair, end: _End, other: _End) -> None:
        if end.inner.fileno() < 0:
            return
        while end.waiting:
            try:
                sent = end.inner.send(end.waiting)
            except BlockingIOError:
                return
            del end.waiting[:sent]
        if other.ended and not end.told and not pair.blackhole:
            end.told = True
            end.inner.shutdown(socket.SHUT_WR)

    def _drop(self, pair: _Pair) -> None:
        self._pairs.discard(pair)
        # Whoever ended in good order saw its end already; for the rest it is a broken connection.
        pair.close(reset=not (pair.client.ended and pair.target.ended))

    def _may_pass(self) -> bool:
        """Refill what the throttle allows; True while something may pass."""
        if self._bytes_per_s is None:
            return True
        now = time.monotonic()
        self._allowed = min(PIECE_BYTES, self._allowed + (now - self._allowed_at_mono_s) * self._bytes_per_s)
        self._allowed_at_mono_s = now
        return self._allowed >= 1

    def _piece(self) -> int:
        return PIECE_BYTES if self._bytes_per_s is None else max(0, int(min(PIECE_BYTES, self._allowed)))


def _holds(pair: _Pair) -> bool:
    return bool(pair.client.waiting or pair.target.waiting)
