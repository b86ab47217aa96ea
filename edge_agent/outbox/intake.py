"""Polls in, messages composed: what the recorder's thread does with the outbox."""

from __future__ import annotations

import shutil
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from edge_agent.contract.birth import Birth, Kind, parse_birth
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.event import Event
from edge_agent.contract.telemetry import Dropped, DropReason
from edge_agent.contract.wire import GZIP, compress
from edge_agent.outbox.batches import Bounds, Entry, MessageClass, Written, compose, pack, pack_report
from edge_agent.outbox.database import Database, OutboxDamaged
from edge_agent.outbox.events import add_events
from edge_agent.outbox.life import read_life
from edge_agent.outbox.overflow import Room, make_room
from edge_agent.outbox.waiting import (
    Kept,
    forget_inherited,
    forget_polls,
    give_up_damaged,
    oldest_inherited,
    oldest_polls,
)
from edge_agent.sources import Poll

DISK_MARGIN_BYTES: Final = 16 << 20
"""Disk space the buffer leaves free for its own write-ahead log and for others."""
_MS_PER_HOUR: Final = 3_600_000


class Compression(StrEnum):
    """How messages are kept and published; their bytes are compressed once, when they are composed."""

    NONE = "none"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True)
class Composed:
    """What one composition did."""

    messages: int
    readings: int
    dropped: tuple[Dropped, ...]
    more: bool
    """True when pending polls were left for another composition."""
    inheriting: bool = False
    """True when messages of an earlier epoch are left to be numbered anew."""


@dataclass(frozen=True, slots=True)
class _Message:
    digest: str
    kind: MessageClass
    written: Written


class Intake:
    """Takes polls and makes messages of them. Bound to the thread that opened it."""

    def __init__(self, path: Path, max_bytes: int, bounds: Bounds, compression: Compression) -> None:
        self._folder = path.parent
        self._room = Room.within(max_bytes)
        self._bounds = bounds
        self._compression = compression
        self._registers: dict[str, frozenset[str]] = {}
        self._database = Database(path)
        self._database.bound(max_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def adopt(self, birth: Birth) -> None:
        """Make ``birth`` the current one: what is recorded from now on refers to it."""
        digest = birth.digest()
        with self._database.transaction():
            self._database.run("add_birth", {"digest": digest, "body": birth.encode()})
            self._database.run("set_birth", {"digest": digest})
            self._database.run("prune_births")

    def record(self, polls: Sequence[Poll], events: Sequence[Event] = ()) -> int:
        """Return once all ``polls``, their bookmarks and ``events`` are on disk; otherwise nothing of them is.

        What is returned is the number of bytes that the polls take while they are pending.
        """
        recorded_bytes = 0
        with self._database.transaction():
            for poll in polls:
                if poll.readings:
                    body = pack((r.series, r.t_ms, r.value, int(r.quality)) for r in poll.readings)
                    packed = {"readings": len(poll.readings), "body": body, "crc32": zlib.crc32(body)}
                    self._database.run("add_pending", packed)
                    recorded_bytes += len(body)
                if poll.bookmark is not None:
                    self._database.run("set_bookmark", {"key": poll.bookmark.key, "value": poll.bookmark.value})
            add_events(self._database, events)
        return recorded_bytes

    def bookmark(self, key: str) -> str | None:
        """Return what was last recorded under ``key``."""
        row = self._database.row("bookmark", {"key": key})
        return None if row is None else str(row[0])

    def pending_readings(self) -> int:
        """Return how many recorded readings no message carries yet, those to be numbered anew included."""
        return sum(int((self._database.row(name) or (0, 0))[1]) for name in ("pending_total", "inherited_total"))

    def compose(self, now_ms: int) -> Composed:
        """Turn pending polls into messages, and make room when the file is full, in one transaction.

        With nothing pending a message is made only when there is something to report as dropped and room for it.
        """
        with self._database.transaction():
            inherited, inheriting = oldest_inherited(self._database)
            polls, more = oldest_polls(self._database)
            messages = self._messages([*inherited, *polls], now_ms)
            # First out, then in: in a full file the pages freed here are those that the messages need.
            forget_inherited(self._database, inherited)
            forget_polls(self._database, polls)
            payload_bytes = sum(self._keep(message, now_ms) for message in messages)
            readings = sum(message.written.readings for message in messages)
            if messages:
                self._database.run("set_last_seq", {"last_seq": messages[-1].written.seq})
                self._count(len(messages), readings, payload_bytes, now_ms)
            gone = make_room(self._database, self._room_now())
        return Composed(len(messages), readings, gone, more, inheriting)

    def _messages(self, kept: list[Kept], now_ms: int) -> list[_Message]:
        give_up_damaged(self._database, kept)
        life = read_life(self._database)
        groups = self._grouped(kept)
        waiting = deque(
            Dropped(first, last, DropReason(reason), readings)
            for first, last, reason, readings in self._database.rows("dropped", {"ranges": 1_000})
        )
        if (
            not groups
            and waiting
            and life.birth_id is not None
            and self._database.used_bytes() <= self._room.start_bytes
        ):
            current = self._database.rows("births")[-1][0]
            groups = {(current, MessageClass.REGISTER): []}
        limit = self._bounds.payload_bytes
        bounds = Bounds(self._bounds.readings, limit if life.packet_limit is None else min(limit, life.packet_limit))
        messages: list[_Message] = []
        for (digest, kind), entries in groups.items():
            written = compose(
                entries,
                digest=digest,
                epoch=life.epoch,
                first_seq=life.last_seq + len(messages) + 1,
                sent_ms=now_ms,
                dropped=waiting,
                bounds=bounds,
            )
            messages.extend(_Message(digest, kind, one) for one in written)
        for gap in (gap for message in messages for gap in message.written.dropped):
            self._database.run("delete_dropped", {"first": gap.first})
        return messages

    def _grouped(self, kept: Sequence[Kept]) -> dict[tuple[str, MessageClass], list[Entry]]:
        groups: dict[tuple[str, MessageClass], list[Entry]] = {}
        for one in kept:
            registers = self._registers_of(one.digest)
            for entry in one.entries or ():
                kind = MessageClass.REGISTER if entry[0] in registers else MessageClass.GAUGE
                groups.setdefault((one.digest, kind), []).append(entry)
        return groups

    def _registers_of(self, digest: str) -> frozenset[str]:
        if digest not in self._registers:
            bodies = {found: body for found, body, _ in self._database.rows("births")}
            try:
                series = parse_birth(bodies[digest]).series
            except (KeyError, BadRecord) as error:
                raise OutboxDamaged(f"birth {digest} cannot be read: {error}") from error
            self._registers[digest] = frozenset(name for name, spec in series.items() if spec.kind is Kind.REGISTER)
        return self._registers[digest]

    def _keep(self, message: _Message, now_ms: int) -> int:
        written = message.written
        gzipped = self._compression is Compression.GZIP
        payload = compress(written.body) if gzipped else written.body
        kept = self._database.run("add_payload", {"encoding": GZIP if gzipped else None, "body": payload})
        self._database.run(
            "add_message",
            {
                "seq": written.seq,
                "digest": message.digest,
                "class": message.kind,
                "created_ms": now_ms,
                "readings": written.readings,
                "payload_bytes": len(payload),
                "crc32": zlib.crc32(payload),
                "dropped": pack_report(written.dropped),
                "payload_id": kept.lastrowid,
            },
        )
        return len(payload)

    def _count(self, messages: int, readings: int, payload_bytes: int, now_ms: int) -> None:
        hour = now_ms // _MS_PER_HOUR
        totals = {"messages": messages, "readings": readings, "bytes": payload_bytes}
        self._database.run("add_written", {"hour": hour, "now_ms": now_ms, **totals})
        self._database.run("prune_written", {"hour": hour})

    def _room_now(self) -> Room:
        if shutil.disk_usage(self._folder).free >= DISK_MARGIN_BYTES:
            return self._room
        return self._room.where_disk_is_short(self._database.file_bytes())
