"""What is given up when the outbox is full, in which order, and how it is remembered until a message reports it.

The policy, ``gauges-first``: of the gauge messages that were never sent every second one is thinned out, oldest
first; then the remaining never-sent gauge messages go, oldest first; never-sent register messages go last. A message
that may have reached somebody is never given up: the warehouse may be about to confirm it.

Everything here runs inside the caller's transaction, so a removal and its record are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.contract.telemetry import Dropped, DropReason
from edge_agent.outbox.batches import MessageClass, unpack_report
from edge_agent.outbox.database import Database

_STEP_MESSAGES: Final = 16
_SLACK_BYTES: Final = 1 << 20
_HYSTERESIS_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """Where the policy starts, where it stops, and what the file never exceeds."""

    start_bytes: int
    stop_bytes: int
    max_bytes: int

    @classmethod
    def within(cls, max_bytes: int) -> Room:
        """Return the room of a file of at most ``max_bytes``: 5 % are left for what is recorded between two messages.

        The policy frees a little more than it must (at most 5 % or 32 MiB), so that it does not run at every message.
        """
        start = max_bytes - max(max_bytes // 20, min(_SLACK_BYTES, max_bytes // 4))
        return cls(start, start - min(max_bytes // 20, _HYSTERESIS_BYTES), max_bytes)

    def where_disk_is_short(self, file_bytes: int) -> Room:
        """Return this room for a file that must not grow: what is written next has to fit into its free pages.

        Nothing else is given up for it: pages freed inside the file give nothing back to the disk.
        """
        here = Room.within(file_bytes)
        return Room(min(self.start_bytes, here.start_bytes), min(self.stop_bytes, here.stop_bytes), self.max_bytes)


def make_room(database: Database, room: Room) -> tuple[Dropped, ...]:
    """Give up never-sent messages until the file's use is below ``room``; return what went, message by message.

    When nothing never-sent is left the file stays as full as it is.
    """
    if database.used_bytes() <= room.start_bytes:
        return ()
    gone: list[Dropped] = []
    steps: tuple[tuple[DropReason, Callable[[Database], list[int]]], ...] = (
        (DropReason.OVERFLOW_THINNED, _every_second_gauge),
        (DropReason.OVERFLOW_GAUGES, lambda database: _oldest(database, MessageClass.GAUGE)),
        (DropReason.OVERFLOW_REGISTERS, lambda database: _oldest(database, MessageClass.REGISTER)),
    )
    for reason, choose in steps:
        while database.used_bytes() > room.stop_bytes:
            victims = choose(database)
            if not victims:
                break
            gone.extend(give_up(database, seq, reason) for seq in victims)
    return tuple(gone)


def every_second(seqs: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return which of ``seqs`` stay and which go: pairs lose their later half, an odd last one is left alone."""
    paired = len(seqs) - len(seqs) % 2
    return list(seqs[:paired:2]), list(seqs[1:paired:2])


def _every_second_gauge(database: Database) -> list[int]:
    seqs = [seq for (seq,) in database.rows("overflow_pairs", {"messages": 2 * _STEP_MESSAGES})]
    stay, go = every_second(seqs)
    for seq in stay:
        database.run("set_thinned", {"seq": seq})
    return go


def _oldest(database: Database, message_class: MessageClass) -> list[int]:
    rows = database.rows("overflow_oldest", {"class": message_class, "messages": _STEP_MESSAGES})
    return [seq for (seq,) in rows]


def give_up(database: Database, seq: int, reason: DropReason) -> Dropped:
    """Delete message ``seq`` and remember that; what it was to report itself will be reported by another."""
    row = database.row("message_report", {"seq": seq})
    if row is None:
        raise LookupError(f"message {seq} is not held")
    readings, report = row
    database.run("delete_payload", {"seq": seq})
    database.run("delete_message", {"seq": seq})
    dropped = Dropped(seq, seq, reason, readings)
    for gap in (dropped, *unpack_report(report)):
        remember(database, gap)
    database.run("count_dropped", {"readings": readings})
    return dropped


def remember(database: Database, gap: Dropped) -> None:
    """Keep ``gap`` until a message reports it, joined with neighbours of the same reason."""
    first, last, readings = gap.first, gap.last, gap.readings
    key = {"first": first, "last": last, "reason": gap.reason}
    for statement in ("dropped_before", "dropped_after"):
        row = database.row(statement, key)
        if row is not None:
            first, last, readings = min(first, row[0]), max(last, row[1]), readings + row[2]
            database.run("delete_dropped", {"first": row[0]})
    database.run("add_dropped", {"first": first, "last": last, "reason": gap.reason, "readings": readings})
