"""One write at a time, in a thread of its own: the database works while the next records are read and prepared."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic

from stream.store import P, Store
from stream.unwritten import Batch


class Flight(Generic[P]):
    """The write that is under way, if there is one.

    The thread ends with :meth:`close`, which waits for the write: nobody else may use the store before.
    """

    def __init__(self, store: Store[P]) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "write")
        self._writing: Future[None] | None = None
        self._since_mono_s = 0.0

    @property
    def under_way(self) -> bool:
        """True from :meth:`start` to :meth:`land`."""
        return self._writing is not None

    @property
    def done(self) -> bool:
        """True when :meth:`land` would not wait."""
        return self._writing is None or self._writing.done()

    def age_s(self, now_mono_s: float) -> float:
        """Return for how long the write has been under way."""
        return 0.0 if self._writing is None else now_mono_s - self._since_mono_s

    def start(self, batch: Batch[P], now_mono_s: float) -> None:
        """Begin to write ``batch``; the one before has landed."""
        self._since_mono_s = now_mono_s
        self._writing = self._thread.submit(self._store.write, batch.prepared, batch.next_offsets)

    def wait(self, timeout_s: float) -> None:
        """Wait until the write has ended, or for ``timeout_s``."""
        if self._writing is not None:
            wait([self._writing], timeout_s)

    def land(self) -> None:
        """Wait for the end of the write and raise what it raised."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def close(self) -> None:
        """End the thread; the write has landed."""
        self._thread.shutdown()
