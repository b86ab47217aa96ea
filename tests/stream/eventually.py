"""Waiting for conditions, with deadlines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def eventually(condition: Callable[[], bool], within_s: float, what: str = "") -> None:
    """Return once ``condition`` holds; fail when it does not within ``within_s``."""
    deadline_mono_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_mono_s, f"not within {within_s} s: {what or condition}"
        time.sleep(0.02)


@contextmanager
def running(run: Callable[[threading.Event], None], stops_within_s: float = 10.0) -> Iterator[threading.Event]:
    """Run ``run(stop)`` in a thread for the length of the block; what it raises fails the test."""
    stop = threading.Event()
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            run(stop)
        except BaseException as error:  # noqa: BLE001  # handed to the test's own thread
            raised.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(stops_within_s)
        assert not thread.is_alive(), f"did not stop within {stops_within_s} s"
        assert not raised, raised
