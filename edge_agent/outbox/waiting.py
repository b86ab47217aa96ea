"""What waits to become messages: polls, and messages of an earlier epoch; each checked against its checksum."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from edge_agent.contract.errors import BadRecord
from edge_agent.contract.telemetry import Dropped, DropReason
from edge_agent.contract.wire import decompress
from edge_agent.outbox.batches import Entry, entries_of, unpack
from edge_agent.outbox.database import Database
from edge_agent.outbox.life import read_life
from edge_agent.outbox.overflow import remember

READINGS_AT_ONCE: Final = 50_000
INHERIT_READINGS: Final = 10_000
"""Readings that are numbered anew in one step, so that polls that wait to be written wait a moment only."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A poll, or a message of an earlier epoch."""

    row: int
    digest: str
    """Of the birth that explains it."""
    readings: int
    entries: list[Entry] | None
    """``None`` when its bytes are not those that were written."""


def oldest_polls(database: Database) -> tuple[list[Kept], bool]:
    """Return the oldest polls that no message carries, and whether there are more."""
    found: list[Kept] = []
    readings = 0
    for row, digest, count, body, crc32 in database.run("pending"):
        if found and readings + count > READINGS_AT_ONCE:
            return found, True
        found.append(Kept(row, digest, count, _entries_of_poll(body, crc32)))
        readings += count
    return found, False


def oldest_inherited(database: Database) -> tuple[list[Kept], bool]:
    """Return the oldest messages that wait to be numbered anew, one step of them, and whether there are more."""
    found: list[Kept] = []
    readings = 0
    for row, digest, count, crc32, encoding, body in database.run("inherited"):
        if found and readings + count > INHERIT_READINGS:
            return found, True
        found.append(Kept(row, digest, count, _entries_of_message(body, encoding, crc32)))
        readings += count
    return found, False


def forget_polls(database: Database, polls: list[Kept]) -> None:
    """Delete polls that messages carry now."""
    if polls:
        database.run("delete_pending", {"through": polls[-1].row})


def forget_inherited(database: Database, messages: list[Kept]) -> None:
    """Delete messages of an earlier epoch whose readings later ones carry now."""
    if messages:
        database.run("forget_inherited_payloads", {"through": messages[-1].row})
        database.run("forget_inherited", {"through": messages[-1].row})


def give_up_damaged(database: Database, kept: list[Kept]) -> None:
    """Spend a number on each of ``kept`` that the disk did not give back, so that its loss is reported."""
    for lost in (one for one in kept if one.entries is None):
        seq = read_life(database).last_seq + 1
        database.run("set_last_seq", {"last_seq": seq})
        remember(database, Dropped(seq, seq, DropReason.CORRUPT, lost.readings))
        database.run("count_dropped", {"readings": lost.readings})


def _entries_of_poll(body: bytes, crc32: int | None) -> list[Entry] | None:
    if crc32 is not None and zlib.crc32(body) != crc32:
        return None
    try:
        return unpack(body)
    except (ValueError, TypeError):
        return None


def _entries_of_message(body: bytes, encoding: str | None, crc32: int) -> list[Entry] | None:
    if zlib.crc32(body) != crc32:
        return None
    try:
        return entries_of(decompress(body, encoding))
    except BadRecord:
        return None
