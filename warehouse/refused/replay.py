"""Refused messages stored after all: their kept bytes are judged again, and what is good now is stored.

Each piece is one transaction of the sink's own kind, with the same locks in the same order, so that it is safe beside
running sinks; in it the messages' numbers move from rejected to stored in the ledger, and the refusals are marked. A
replay that dies leaves whole pieces; repeating it goes on with what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from psycopg import errors

from edge_agent.contract.errors import Retryable
from stream.clients import Source
from warehouse.migrate import require_current
from warehouse.postgres import Connection, alone, statement, text, translated
from warehouse.refused import letters
from warehouse.refused.letters import Judged, Letter, Still
from warehouse.refused.which import Which
from warehouse.sink.births import BirthKey, Catalog
from warehouse.sink.deferred import settle_deferred
from warehouse.sink.intake import Intake
from warehouse.sink.transaction import Done, Kafka, Transaction

SINK: Final = "refused replay"
"""Name under which its batches are recorded."""
ATTEMPTS: Final = 5
"""How often a piece is tried that a sink's write was in the way of."""
MOST_SERIES: Final = 100_000
MOST_PARKED: Final = 1_000
_LOCK: Final = 0x6730_0035
"""Advisory lock: one replay at a time in a database."""
_SQL: Final = "warehouse.refused"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to, counted by reason."""

    stored: Counter[str] = field(default_factory=Counter)
    """Stored now, by the reason they had been refused for."""
    still: Counter[str] = field(default_factory=Counter)
    """Refused again, by the reason that counts now."""


def replay(connection: Connection, which: Which, *, letter_id: int | None = None, dry_run: bool = False) -> Replayed:
    """Store those refused messages of ``which`` that are good by now; with ``dry_run`` only say what would be done.

    Waits for another replay. ``Retryable`` when sinks were in the way of the same piece ``ATTEMPTS`` times; what was
    stored before stays stored.
    """
    replayed = Replayed()
    with one_replay(connection):
        body = _Replay(connection, replayed, dry_run=dry_run)
        for piece in letters.waiting(connection, which, letter_id):
            body.settle(piece)
        body.finish()
    return replayed


@contextmanager
def one_replay(connection: Connection) -> Iterator[None]:
    """Keep other replays out, and turn the database's errors into ours."""
    with alone(connection, _LOCK):
        require_current(connection)
        yield


@contextmanager
def in_the_way() -> Iterator[None]:
    """Turn errors that another writer's transaction caused into ``Retryable``."""
    try:
        with translated():
            yield
    except (errors.UniqueViolation, errors.CheckViolation) as error:
        raise Retryable(f"a sink stored the same at the same time: {error}") from error


class _Replay:
    def __init__(self, connection: Connection, replayed: Replayed, *, dry_run: bool) -> None:
        self._connection = connection
        self._replayed = replayed
        self._dry_run = dry_run
        self._catalog = Catalog(MOST_SERIES)
        self._months: frozenset[str] = frozenset()
        self._would_know: set[BirthKey] = set()
        """Births that a dry run did not store."""
        self._unpark = self._deferred = False

    def settle(self, piece: Sequence[Letter]) -> None:
        """Store what is good of ``piece`` in one transaction; when the database takes it not, message by message."""
        judged = self._explained(letters.judge(piece))
        try:
            done = self._attempt(judged, letters.source_of(piece))
        except errors.DataError as error:
            self._catalog.forget()
            if len(piece) > 1:
                for letter in piece:
                    self.settle([letter])
                return
            still = [*judged.still, *(Still(letter, "database", str(error)) for letter in judged.letters)]
            judged = Judged(Intake(), [], still)
            done = self._attempt(judged, letters.source_of(piece))
        self._months |= frozenset() if self._dry_run else done.months
        self._unpark |= done.parked_left or bool(judged.good.births)
        self._deferred |= done.deferred
        self._replayed.stored.update(letter.reason for letter in judged.letters)
        self._replayed.still.update(one.reason for one in judged.still)

    def finish(self) -> None:
        """Store the messages that were parked for a birth that was stored now, and settle deferred conflicts."""
        while self._unpark and not self._dry_run:
            self._unpark = self._attempt(Judged(Intake()), Source("", {})).parked_left
        while self._deferred and not self._dry_run:
            self._deferred = settle_deferred(self._connection, SINK)

    def _explained(self, judged: Judged) -> Judged:
        wanted = {BirthKey(one.gateway, one.telemetry.birth) for one in judged.good.telemetry}
        known = set(self._catalog.known(self._connection, wanted))
        if self._dry_run:
            self._catalog.forget()
            self._would_know |= {BirthKey(birth.gateway, birth.digest()) for birth, _ in judged.good.births}
            judged = letters.unexplained(judged, known | self._would_know)
        else:
            judged = letters.unexplained(judged, known)
        return judged

    def _attempt(self, judged: Judged, source: Source) -> Done:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with in_the_way():
                    return self._transact(judged, source)
            except Retryable:
                self._catalog.forget()
                self._months = frozenset()
                if attempt == ATTEMPTS or self._connection.broken:
                    raise
        raise AssertionError("unreachable")

    def _transact(self, judged: Judged, source: Source) -> Done:
        connection = self._connection
        with connection.transaction(force_rollback=self._dry_run):
            done = Done()
            good = _without_strangers(judged.good, self._would_know) if self._dry_run else judged.good
            if judged.letters or self._unpark:
                kafka = Kafka(source, [letter.record for letter in judged.letters])
                body = Transaction(connection, self._catalog, SINK, MOST_PARKED)
                done = body.run(kafka, good, self._months, unpark=self._unpark)
            if judged.letters:
                connection.execute(
                    statement(_SQL, "letters_done.sql"),
                    {"letter_ids": [letter.letter_id for letter in judged.letters]},
                )
            if judged.still:
                connection.execute(
                    statement(_SQL, "letters_tried.sql"),
                    {
                        "letter_ids": [one.letter.letter_id for one in judged.still],
                        "reasons": [text(one.reason)[:100] for one in judged.still],
                        "details": [text(one.detail)[:2_000] for one in judged.still],
                    },
                )
        if self._dry_run:
            self._catalog.forget()
        return done


def _without_strangers(good: Intake, would_know: set[BirthKey]) -> Intake:
    """Leave out telemetry whose birth an earlier piece of the dry run would have stored."""
    here = {BirthKey(birth.gateway, birth.digest()) for birth, _ in good.births}
    missing = would_know - here
    told = [one for one in good.telemetry if BirthKey(one.gateway, one.telemetry.birth) not in missing]
    return Intake(told, good.births, good.states, good.events)
