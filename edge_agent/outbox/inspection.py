"""Numbers of an outbox for people, read without disturbing the agent that uses it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.outbox.database import Database, OutboxDamaged, OutboxUnavailable
from edge_agent.outbox.intake import DISK_MARGIN_BYTES
from edge_agent.outbox.life import read_life
from edge_agent.outbox.overflow import Room

_MS_PER_HOUR: Final = 3_600_000
_RATE_HOURS: Final = 24
TYPICAL_OVERHEAD: Final = 1.2
"""Bytes of the file per byte of payload, used until enough is held to measure it."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What an outbox holds and how long its room lasts."""

    epoch: int
    last_seq: int
    held_messages: int
    held_readings: int
    never_sent_messages: int
    pending_readings: int
    oldest_ms: int | None
    used_bytes: int
    max_bytes: int
    free_bytes: int
    """Of the disk, what the buffer already takes included."""
    bytes_per_hour: float | None
    """What the file grows by while nothing is confirmed; ``None`` before anything was written."""
    hours_left: float | None
    """Until the overflow policy starts, or the disk is full, at that rate."""
    wanted_bytes: int | None
    """``[outbox] hours`` × that rate."""
    confirmed_through: int
    confirmed_at_ms: int | None
    dropped_messages: int
    dropped_readings: int


def inspect(path: Path, max_bytes: int, hours: float, now_ms: int) -> Numbers:
    """Return the numbers of the outbox at ``path``.

    ``Misconfigured`` when there is none; ``Retryable`` while it is being created, or cannot be read.
    """
    if not path.is_file():
        raise Misconfigured(f"{path}: no buffer here, the agent has not run yet (没有缓冲文件，采集程序尚未运行过)")
    try:
        with Database(path, readonly=True) as database:
            return _read(database, max_bytes, hours, now_ms, free_bytes(path))
    except (OutboxUnavailable, OutboxDamaged) as error:
        raise Retryable(f"{path}: cannot be read (无法读取): {error}") from error


def free_bytes(path: Path) -> int:
    """Return what a buffer at ``path`` may take of its disk: what is free, and what it takes already."""
    folder = next(folder for folder in path.absolute().parents if folder.is_dir())
    taken = path.stat().st_size if path.is_file() else 0
    return shutil.disk_usage(folder).free + taken


def _read(database: Database, max_bytes: int, hours: float, now_ms: int, free: int) -> Numbers:
    if database.row("is_created") != (1,):
        raise Retryable("the buffer is being created (缓冲文件正在创建)")
    life = read_life(database)
    held = database.row("held_numbers")
    pending = database.row("pending_total")
    written = database.row("written_since", {"hour": now_ms // _MS_PER_HOUR - _RATE_HOURS})
    if held is None or pending is None or written is None:
        raise Retryable("the buffer tells no numbers")
    messages, readings, payload_bytes, _first, oldest_ms, never_sent = held
    used = database.used_bytes()
    room = Room.within(max_bytes)
    rate = _bytes_per_hour(written, now_ms)
    if rate is not None:
        rate *= used / payload_bytes if payload_bytes > 1 << 20 else TYPICAL_OVERHEAD
    return Numbers(
        epoch=life.epoch,
        last_seq=life.last_seq,
        held_messages=messages,
        held_readings=readings,
        never_sent_messages=never_sent,
        pending_readings=pending[1],
        oldest_ms=oldest_ms,
        used_bytes=used,
        max_bytes=max_bytes,
        free_bytes=free,
        bytes_per_hour=rate,
        hours_left=max(min(room.start_bytes, free - DISK_MARGIN_BYTES) - used, 0) / rate if rate else None,
        wanted_bytes=round(hours * rate) if rate else None,
        confirmed_through=life.confirmed_through,
        confirmed_at_ms=life.confirmed_at_ms,
        dropped_messages=life.dropped_messages,
        dropped_readings=life.dropped_readings,
    )


def _bytes_per_hour(written: tuple[int, int | None], now_ms: int) -> float | None:
    payload_bytes, since_ms = written
    if since_ms is None or not payload_bytes:
        return None
    # At least a minute: the first messages of a new buffer say little about an hour.
    return payload_bytes * _MS_PER_HOUR / max(now_ms - since_ms, 60_000)
