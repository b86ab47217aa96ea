"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], within_s: float = 20.0, every_s: float = 0.02) -> None:
    """Return once ``condition()``; fail after ``within_s`` seconds."""
    deadline_mono_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_mono_s, f"not within {within_s} s: {condition}"
        time.sleep(every_s)
