"""Messages out, what has been sent, and what the warehouse has confirmed: the publisher's side of the outbox."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from edge_agent.contract.command import SeqRange, Stored
from edge_agent.contract.event import Event
from edge_agent.contract.state import Held, PreviousEpoch
from edge_agent.contract.telemetry import DropReason
from edge_agent.outbox.database import Database
from edge_agent.outbox.events import add_events
from edge_agent.outbox.life import read_life
from edge_agent.outbox.overflow import give_up
from edge_agent.outbox.renewal import renew

_NO_LIMIT_BYTES: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it goes out; its bytes are the same at every sending."""

    seq: int
    payload: bytes
    encoding: str | None


@dataclass(frozen=True, slots=True)
class KeptBirth:
    """A birth that held messages, or those to come, refer to."""

    digest: str
    body: bytes
    current: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What a confirmation did here."""

    messages: int
    """Deleted now."""


@dataclass(frozen=True, slots=True)
class Oversized:
    """Messages that the broker does not take."""

    messages: int
    first_seq: int
    largest_bytes: int


class Outflow:
    """Gives messages out and takes confirmations. Bound to the thread that opened it."""

    def __init__(self, path: Path, max_bytes: int, next_epoch: Callable[[int], int]) -> None:
        self._next_epoch = next_epoch
        self._database = Database(path)
        self._database.bound(max_bytes)
        self._largest = _NO_LIMIT_BYTES
        life = read_life(self._database)
        self._epoch = life.epoch
        self._run = life.run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @property
    def run(self) -> int:
        """Which opening of the file this is, counted from 1."""
        return self._run

    @property
    def epoch(self) -> int:
        """The epoch of every message here."""
        return self._epoch

    def held(self) -> Held:
        """Return what is on the disk still, and the last number ever given away."""
        last = read_life(self._database).last_seq
        row = self._database.row("first_held")
        first = None if row is None else row[0]
        return Held(epoch=self._epoch, first=last + 1 if first is None else first, last=last)

    def previous(self) -> PreviousEpoch | None:
        """Return the life before this one, if it is known."""
        life = read_life(self._database)
        if life.previous_epoch is None or life.previous_last is None:
            return None
        return PreviousEpoch(epoch=life.previous_epoch, last=life.previous_last)

    def births(self) -> list[KeptBirth]:
        """Return the births that are needed, oldest first, the current one last."""
        return [KeptBirth(digest, body, bool(current)) for digest, body, current in self._database.rows("births")]

    def limit(self, payload_bytes: int | None) -> Oversized | None:
        """From now on give out nothing longer, and compose nothing longer; return what is held back by that."""
        self._largest = _NO_LIMIT_BYTES if payload_bytes is None else payload_bytes
        self._database.run("set_packet_limit", {"packet_limit": payload_bytes})
        row = self._database.row("oversized", {"largest": self._largest})
        return None if row is None or not row[0] else Oversized(*row)

    def unsent_after(self, boundary: int, messages: int) -> list[int]:
        """Return the first numbers beyond ``boundary`` that were never sent, at most ``messages``."""
        return self._seqs("unsent_after", {"boundary": boundary, "messages": messages})

    def unsent_through(self, boundary: int, messages: int) -> list[int]:
        """Return the first numbers up to ``boundary`` that were never sent, at most ``messages``."""
        return self._seqs("unsent_through", {"boundary": boundary, "messages": messages})

    def sent_before(self, ranges: Iterable[SeqRange], before_mono_ms: int, messages: int) -> list[int]:
        """Return numbers within ``ranges`` whose last sending was before ``before_mono_ms`` or in an earlier run."""
        found: list[int] = []
        for gap in ranges:
            if len(found) >= messages:
                break
            bounds = {"first": gap.first, "last": gap.last, "messages": messages - len(found)}
            found += self._seqs("sent_within", {**bounds, "run": self._run, "before_mono_ms": before_mono_ms})
        return found

    def last_sent(self) -> int | None:
        """Return the largest number held that was ever sent."""
        row = self._database.row("last_sent", {"largest": self._largest})
        return None if row is None else row[0]

    def take(self, seqs: Sequence[int], now_mono_ms: int) -> list[Outgoing]:
        """Mark ``seqs`` as sent, on disk, and return those still held and not too long, in that order.

        Marked before it is sent, a message that may have reached somebody is never given up by the overflow. One
        whose bytes are not those that were written is given up with reason ``corrupt``.
        """
        taken: list[Outgoing] = []
        with self._database.transaction():
            for seq in seqs:
                row = self._database.row("take", {"seq": seq})
                if row is None or len(row[3]) > self._largest:
                    continue
                _, crc32, encoding, body = row
                if zlib.crc32(body) != crc32:
                    give_up(self._database, seq, DropReason.CORRUPT)
                    continue
                self._database.run("mark_sent", {"seq": seq, "run": self._run, "now_mono_ms": now_mono_ms})
                taken.append(Outgoing(seq, body, encoding))
        return taken

    def unsend(self, seqs: Sequence[int]) -> list[int]:
        """Take back one sending of each of ``seqs``, which reached nobody; return those that were sent before it."""
        sent: list[int] = []
        with self._database.transaction():
            for seq in seqs:
                row = self._database.row("unmark_sent", {"seq": seq})
                if row is not None and row[0] > 0:
                    sent.append(seq)
        return sent

    def settle(self, stored: Stored, now_ms: int) -> Settled:
        """Delete what ``stored`` confirms. Messages never sent stay: nobody can have stored them."""
        if stored.epoch != self._epoch:
            return Settled(0)
        deleted = 0
        with self._database.transaction():
            for first, until in _between(stored):
                bounds = {"first": first, "last": until}
                self._database.run("settle_payloads", bounds)
                deleted += self._database.run("settle_messages", bounds).rowcount
            self._database.run("set_confirmed", {"through": stored.through, "at_ms": now_ms})
            if deleted:
                self._database.run("prune_births")
        return Settled(deleted)

    def outrun_by(self, stored: Stored) -> bool:
        """Return whether the warehouse knows numbers of this epoch that were never given away here.

        Then somebody else gave them away: another agent with a copy of this file, or this one before an old copy was
        brought back.
        """
        return stored.epoch == self._epoch and stored.through > read_life(self._database).last_seq

    def renew(self, why: str, now_ms: int, beyond: int = 0) -> None:
        """Begin a new epoch, later than ``beyond``: what is held is numbered anew, and no old confirmation counts."""
        with self._database.transaction():
            epoch = renew(self._database, self._next_epoch, why, now_ms, beyond)
        self._epoch = epoch

    def confirmed_through(self) -> int:
        """Return the largest ``through`` ever confirmed for this epoch."""
        return read_life(self._database).confirmed_through

    def events(self, after: int, events: int) -> list[tuple[int, bytes]]:
        """Return waiting events with their numbers, those beyond ``after``, at most ``events``."""
        return [(number, body) for number, body in self._database.rows("events", {"after": after, "events": events})]

    def add_event(self, event: Event) -> None:
        """Keep ``event`` until the broker has taken it."""
        with self._database.transaction():
            add_events(self._database, [event])

    def delete_event(self, number: int) -> None:
        """Forget the event ``number``: the broker has it."""
        self._database.run("delete_event", {"event_id": number})

    def _seqs(self, statement: str, parameters: dict[str, object]) -> list[int]:
        return [seq for (seq,) in self._database.rows(statement, {**parameters, "largest": self._largest})]


def _between(stored: Stored) -> Iterable[SeqRange]:
    """Yield what lies up to ``through`` and outside ``missing``."""
    first = 1
    for gap in stored.missing:
        if first < gap.first:
            yield SeqRange(first, gap.first - 1)
        first = gap.last + 1
    if first <= stored.through:
        yield SeqRange(first, stored.through)
