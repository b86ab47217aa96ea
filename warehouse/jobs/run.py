"""Rounds of jobs until told to stop; a database that is away is waited for."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import psycopg

from edge_agent.contract.errors import Retryable
from warehouse.jobs.settings import JobsSettings
from warehouse.jobs.work import WORK
from warehouse.log import to_stderr
from warehouse.migrate import require_current
from warehouse.postgres import Connection, connect

log = logging.getLogger(__name__)

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0
_CANCEL_EVERY_S: Final = 0.5


def run(settings: JobsSettings) -> None:
    """Run the jobs until SIGTERM or SIGINT; a statement that is under way then is cancelled, and done again some day.

    ``Misconfigured`` when the database lacks migrations or refuses the log-in.
    """
    to_stderr()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("event=started jobs=%s", ",".join(settings.jobs))
    try:
        run_until(stop, settings)
    finally:
        log.info("event=stopped")


def run_until(stop: threading.Event, settings: JobsSettings) -> None:
    """Run rounds until ``stop`` is set; after ``Retryable`` connect again, later each time."""
    failures = 0
    while not stop.is_set():
        try:
            with closing(connect(settings.database.conninfo(), application="g60 jobs")) as connection:
                require_current(connection)
                with _Cancelling(stop, connection):
                    while not stop.is_set():
                        begun_mono_s = time.monotonic()
                        _round(stop, settings, connection)
                        failures = 0
                        stop.wait(max(0.0, settings.every_s - (time.monotonic() - begun_mono_s)))
        except Retryable as error:
            if stop.is_set():
                return
            wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures, 10))
            failures += 1
            log.warning("event=waiting seconds=%.0f error=%s", wait_s, error)
            stop.wait(wait_s)


def _round(stop: threading.Event, settings: JobsSettings, connection: Connection) -> None:
    for name in settings.jobs:
        if stop.is_set():
            return
        begun_mono_s = time.monotonic()
        go_on = partial(_go_on, stop, begun_mono_s + settings.count_within_s)
        told = WORK[name](connection, datetime.now(UTC), go_on)
        log.info("event=done job=%s seconds=%.2f %s", name, time.monotonic() - begun_mono_s, told)


def _go_on(stop: threading.Event, until_mono_s: float) -> bool:
    return not stop.is_set() and time.monotonic() < until_mono_s


class _Cancelling:
    """Cancels what the connection is doing once ``stop`` is set, so that a long statement does not hold up the end."""

    def __init__(self, stop: threading.Event, connection: Connection) -> None:
        self._stop = stop
        self._connection = connection
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cancelling", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_CANCEL_EVERY_S):
            if self._stop.is_set():
                with suppress(psycopg.Error):
                    self._connection.cancel_safe(timeout=_CANCEL_EVERY_S)
