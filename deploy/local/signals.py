"""Signals that end a supervisor in good order."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Final


class EndOnSignal:
    """Turns SIGTERM and SIGHUP into ``SystemExit(0)``; while all is being stopped, no signal cuts that short."""

    _ending: Final = (signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def install(self) -> None:
        """Begin; does nothing off the main thread, where Python takes no signal handlers."""
        if threading.current_thread() is threading.main_thread():
            for what in self._ending:
                self._set(what, _exit)

    def hold(self) -> None:
        """Let no signal, Ctrl-C included, cut short what comes now."""
        if self._before:
            for what in (*self._ending, signal.SIGINT):
                self._set(what, _ignore)

    def restore(self) -> None:
        """Put back what was before."""
        for what, handler in self._before.items():
            signal.signal(what, handler)
        self._before.clear()

    def _set(self, what: signal.Signals, handler: signal._HANDLER) -> None:
        found = signal.signal(what, handler)
        self._before.setdefault(what, found)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Stand in for SIG_IGN, which a child would inherit."""
