"""Waking a thread that waits."""

from __future__ import annotations

import select
import threading

import pytest

from stream.bridge.wakeup import Wakeup


def readable(wakeup: Wakeup, within_s: float = 0.0) -> bool:
    return bool(select.select([wakeup.fileno()], [], [], within_s)[0])


def test_it_is_readable_from_set_to_clear() -> None:
    with Wakeup() as wakeup:
        assert not readable(wakeup)
        wakeup.set()
        wakeup.set()
        assert readable(wakeup)
        wakeup.clear()
        assert not readable(wakeup)
        wakeup.clear()
        wakeup.set()
        assert readable(wakeup)


def test_another_thread_wakes_it() -> None:
    with Wakeup() as wakeup:
        thread = threading.Thread(target=wakeup.set)
        thread.start()
        assert readable(wakeup, 10)
        thread.join()


def test_outside_it_wakes_nobody_and_cannot_be_waited_for() -> None:
    wakeup = Wakeup()
    wakeup.set()
    with pytest.raises(ValueError, match="not entered"):
        wakeup.fileno()
    with wakeup:
        assert not readable(wakeup)
    wakeup.set()
