"""One life of the buffer: its epoch and everything that is known about it as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edge_agent.outbox.database import Database, OutboxDamaged

LATEST_EPOCH: Final = (1 << 53) - 1
LATEST_SEQ: Final = (1 << 40) - 1


@dataclass(frozen=True, slots=True)
class Life:
    """The row of ``main.life``."""

    epoch: int
    last_seq: int
    """Last number ever given away, held or not."""
    run: int
    birth_id: int | None
    previous_epoch: int | None
    previous_last: int | None
    packet_limit: int | None
    """Longest payload the broker took when it was last asked, bytes."""
    confirmed_through: int
    confirmed_at_ms: int | None
    dropped_messages: int
    dropped_readings: int
    machine: frozenset[str]
    """What tells the machine that wrote here from others; empty when it is not known."""


def read_life(database: Database) -> Life:
    """Return this life; ``OutboxDamaged`` when the file has none, or one that no agent wrote."""
    row = database.row("life")
    if row is None:
        raise OutboxDamaged("it has no epoch")
    epoch, last_seq, run = row[:3]
    counts = (epoch, last_seq, run, *row[7:8], *row[9:11])
    if not all(isinstance(count, int) and count >= 0 for count in counts) or not 0 < epoch <= LATEST_EPOCH:
        raise OutboxDamaged(f"its epoch cannot be read: {row}")
    if last_seq > LATEST_SEQ:
        raise OutboxDamaged(f"its last number cannot be right: {last_seq}")
    try:
        marks: frozenset[str] = frozenset(json.loads(row[-1] or "[]"))
    except (ValueError, TypeError) as error:
        raise OutboxDamaged(f"its machine cannot be read: {error}") from error
    return Life(*(*row[:-1], marks))


def marks_text(marks: Iterable[str]) -> str | None:
    """Return the marks of a machine as they are kept."""
    kept = sorted(marks)
    return json.dumps(kept) if kept else None
