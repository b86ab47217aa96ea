"""How far behind Kafka the warehouse is: looked at every few seconds, logged while behind, kept for `g60 status`.

In a thread and with connections of its own, so that it goes on while the sink waits for the database, and costs the
sink no time. While the database is away the offsets that it had last are compared with where Kafka's logs end now.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Final

import psycopg

from edge_agent.contract.errors import PulseError, Retryable
from stream.clients.watch import READ_S, Bounds, Watch
from stream.lag import Pace, Standing, Track
from stream.topics import UP_TOPICS, Partition
from warehouse.migrate import require_current
from warehouse.postgres import Connection, connect, statement, translated
from warehouse.sink import offsets
from warehouse.sink.settings import SinkSettings

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
TELL_EVERY_S: Final = 10.0

_SQL: Final = "warehouse.sink"


def standing_of(connection: Connection) -> tuple[Standing, bool] | None:
    """Return the latest standing that a sink kept, and whether it is old; ``None`` before the first."""
    with translated():
        row = connection.execute(statement(_SQL, "standing_read.sql")).fetchone()
    if row is None:
        return None
    pace, lag_records, behind_s, in_per_s, out_per_s, minutes_left, is_old = row
    return Standing(Pace(pace), lag_records, behind_s, in_per_s, out_per_s, minutes_left), is_old


class Standings:
    """Looks, tells and keeps until it is left; ``with`` runs its thread."""

    def __init__(
        self,
        settings: SinkSettings,
        *,
        every_s: float = LOOK_EVERY_S,
        now_mono_s: Callable[[], float] = time.monotonic,
        track: Track | None = None,
        read_s: float = READ_S,
    ) -> None:
        self._settings = settings
        self._every_s = every_s
        self._now_mono_s = now_mono_s
        self._read_s = read_s
        topics = [topic.name for topic in UP_TOPICS]
        self._watch = Watch(settings.kafka.bootstrap, f"g60-standing-{settings.name}", topics)
        self._open: Connection | None = None
        self._track = track or Track()
        self._stored: Mapping[Partition, int | None] = {}
        self._tell_at_mono_s = 0.0
        self._behind = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standing", daemon=True)

    def __enter__(self) -> Standings:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        # A look at a Kafka that is away may take some seconds; the thread ends by itself.
        self._thread.join(1.0)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self.look()
                except Retryable as error:
                    log.info("event=standing_unknown error=%s", error)
                    self._watch.close()
                self._stop.wait(self._every_s)
        except PulseError as error:
            # The sink itself ends with the same.
            log.warning("event=standing_given_up error=%s", error)
        finally:
            self.close()

    def look(self) -> Standing:
        """Look once: return the standing, log it when it is due, and keep it if the database is there."""
        source = self._watch.source()
        try:
            with self._database() as connection:
                self._stored = offsets.read(connection, tuple(self._watch.bounds()), source)
        except Retryable:
            if not self._stored:
                raise
        bounds = self._watch.bounds()
        done = {place: _done(self._stored.get(place), found) for place, found in bounds.items()}
        ended = sum(found.end for found in bounds.values())
        standing = self._track.add(self._now_mono_s(), ended, sum(done.values()), self._behind_s(bounds, done))
        self._tell(standing)
        try:
            with self._database() as connection:
                connection.execute(
                    statement(_SQL, "standing_put.sql"), {"sink": self._settings.name, **asdict(standing)}
                )
        except Retryable as error:
            log.info("event=standing_not_kept error=%s", error)
        return standing

    def close(self) -> None:
        """Disconnect."""
        with suppress(Retryable):
            self._watch.close()
        self._disconnect()

    def _behind_s(self, bounds: Mapping[Partition, Bounds], done: Mapping[Partition, int]) -> float:
        """Return the age of the first record that is not stored, of the partition with the most of them."""
        lags = {place: found.end - done[place] for place, found in bounds.items()}
        worst = max(lags, key=lambda place: lags[place])
        if lags[worst] <= 0:
            return 0.0
        age_s = self._watch.age_s(worst, done[worst], read_s=self._read_s)
        if age_s is None:
            raise Retryable(f"Kafka did not give record {done[worst]} of {worst.topic}-{worst.partition} in time")
        return age_s

    def _tell(self, standing: Standing) -> None:
        now = self._now_mono_s()
        behind = standing.pace is not Pace.UP_TO_DATE
        if behind and now >= self._tell_at_mono_s:
            self._tell_at_mono_s = now + TELL_EVERY_S
            minutes = "unknown" if standing.minutes_left is None else f"{standing.minutes_left:.1f}"
            log.info(
                "event=%s behind_s=%.0f lag_records=%d in_per_s=%.0f out_per_s=%.0f minutes=%s",
                *(standing.pace, standing.behind_s, standing.lag_records, standing.in_per_s, standing.out_per_s),
                minutes,
            )
        if self._behind and not behind:
            log.info("event=caught_up")
        self._behind = behind

    @contextmanager
    def _database(self) -> Iterator[Connection]:
        """Give the connection, opening it if need be; an error closes it."""
        try:
            with translated():
                if self._open is None:
                    self._open = connect(
                        self._settings.database.conninfo(), application=f"g60 standing {self._settings.name}"
                    )
                    require_current(self._open)
                    self._open.execute("SET statement_timeout = '5s'")
                yield self._open
        except PulseError:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._open is not None:
            with suppress(psycopg.Error):
                self._open.close()
            self._open = None


def _done(stored: int | None, found: Bounds) -> int:
    """Return up to where a log is done: what its start has passed or its end has lost is nobody's backlog."""
    return found.start if stored is None else min(max(stored, found.start), found.end)
