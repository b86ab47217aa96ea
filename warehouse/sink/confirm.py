"""Confirmations: what the ledger has settled goes back to the gateways, after the commit and not too often."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final, Generic, Protocol, TypeVar

from edge_agent.contract.command import MAX_MISSING, BirthRequest, Stored
from edge_agent.contract.errors import PulseError
from edge_agent.contract.topics import Command
from warehouse.postgres import Connection, statement
from warehouse.sink.ledger import Epoch, ranges_in
from warehouse.sink.ranges import Ranges, holes

log = logging.getLogger(__name__)

MAX_GATEWAYS: Final = 500
"""Gateways confirmed at a time; the others follow at the next occasion, so that no write waits long for it."""

RETRY_S: Final = 5.0
"""Rest after a failure to send; each attempt to reach Kafka may take some seconds, and writes wait for it."""

_SQL: Final = "warehouse.sink"

K = TypeVar("K")


class CommandSender(Protocol):
    """Sends commands on their way down."""

    def send(self, gateway: str, command: Command, payload: bytes) -> None:
        """Queue ``payload``; ``Retryable`` when that is not possible now."""


def confirmation(epoch: int, settled: Ranges, held_first: int | None = None) -> Stored:
    """Return what may be said about an epoch.

    It never claims what is not settled, with one exception that deletes nothing: when there are too many holes to name
    them all, those below ``held_first``, which the agent's disk no longer holds, are left out first. If there are too
    many still, ``through`` is lowered.
    """
    through = settled[-1].last if settled else 0
    missing = holes(settled, through)
    if len(missing) > MAX_MISSING and held_first is not None:
        missing = [hole for hole in missing if hole.last >= held_first]
    if len(missing) > MAX_MISSING:
        through = missing[MAX_MISSING].first - 1
        missing = missing[:MAX_MISSING]
    return Stored(epoch=epoch, through=through, missing=tuple(missing))


class Lately(Generic[K]):
    """What happened within the last ``span_s``; older things are forgotten."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._at_mono_s: dict[K, float] = {}

    def __len__(self) -> int:
        return len(self._at_mono_s)

    def has(self, key: K, now_mono_s: float) -> bool:
        """True when ``key`` happened less than ``span_s`` ago."""
        at = self._at_mono_s.get(key)
        return at is not None and now_mono_s - at < self._span_s

    def add(self, key: K, now_mono_s: float) -> None:
        """Note that ``key`` happens now."""
        self._at_mono_s.pop(key, None)
        self._at_mono_s[key] = now_mono_s
        while now_mono_s - self._at_mono_s[oldest := next(iter(self._at_mono_s))] >= self._span_s > 0:
            del self._at_mono_s[oldest]


class Confirmer:
    """Keeps which gateways are owed a word, and sends it when due; a failure to send is tried again later."""

    def __init__(
        self, sender: CommandSender, confirm_every_s: float, ask_every_s: float, now_mono_s: Callable[[], float]
    ) -> None:
        self._sender = sender
        self._now_mono_s = now_mono_s
        self._owed: dict[str, set[int]] = {}
        """Gateways, longest waiting first, and the epochs that changed."""
        self._confirmed: Lately[str] = Lately(confirm_every_s)
        self._asked: Lately[tuple[str, str]] = Lately(ask_every_s)
        self._rests_until_mono_s = float("-inf")

    def changed(self, epochs: Iterable[Epoch]) -> None:
        """Note that these epochs have something new to confirm."""
        for gateway, epoch in epochs:
            self._owed.setdefault(gateway, set()).add(epoch)

    def owe(self, gateways: Iterable[str]) -> None:
        """Note that these gateways want to hear how things stand."""
        for gateway in gateways:
            self._owed.setdefault(gateway, set())

    def confirm_due(self, connection: Connection) -> None:
        """Send what is due. The latest epoch of a gateway goes last: it is the one the broker keeps."""
        now = self._now_mono_s()
        if now < self._rests_until_mono_s:
            return
        due: list[str] = []
        for gateway in self._owed:
            if not self._confirmed.has(gateway, now):
                due.append(gateway)
                if len(due) == MAX_GATEWAYS:
                    break
        if not due:
            return
        touched = [(gateway, epoch) for gateway in due for epoch in self._owed[gateway]]
        rows = connection.execute(
            statement(_SQL, "confirm.sql"),
            {
                "gateways": due,
                "touched": [gateway for gateway, _ in touched],
                "epochs": [epoch for _, epoch in touched],
            },
        ).fetchall()
        try:
            for gateway, epoch, settled, held_first in rows:
                message = confirmation(epoch, ranges_in(settled), held_first)
                self._sender.send(gateway, Command.STORED, message.encode())
        except PulseError as error:
            log.warning("event=not_confirmed gateways=%d error=%s", len(due), error)
            self._rests_until_mono_s = now + RETRY_S
            return
        for gateway in due:
            del self._owed[gateway]
            self._confirmed.add(gateway, now)

    def ask(self, gateway: str, digest: str) -> None:
        """Ask for a birth, unless that was done a moment ago."""
        now = self._now_mono_s()
        if now < self._rests_until_mono_s or self._asked.has((gateway, digest), now):
            return
        try:
            self._sender.send(gateway, Command.BIRTH, BirthRequest(b=digest).encode())
        except PulseError as error:
            log.warning("event=birth_not_asked gateway=%s error=%s", gateway, error)
            self._rests_until_mono_s = now + RETRY_S
            return
        self._asked.add((gateway, digest), now)
