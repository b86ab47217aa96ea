"""Clocks, waiting readings and repairs as tables for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from warehouse.clock.aside import heaps
from warehouse.clock.faults import CONFIRMED_MS
from warehouse.postgres import Connection, statement, translated
from warehouse.table import aligned
from warehouse.times import from_ms

_SQL: Final = "warehouse.clock"
_FAULTS: Final = ("fault", "gateway", "standing", "clock", "ahead", "gateway's time", "since", "until", "told step")
_ASIDE: Final = ("where", "reason", "epoch", "readings", "gateway's time", "arrived")
_REPAIRS: Final = ("repair", "gateway", "shift", "gateway's time", "readings", "by", "at", "undone", "reason")
_CONFIRMED: Final = timedelta(milliseconds=CONFIRMED_MS)


def fault_table(
    connection: Connection, gateway: str | None = None, *, ended: bool = False, limit: int = 50
) -> Iterator[str]:
    """Return one line per clock that is wrong, or with ``ended`` that ever was, below a line of headings."""
    with translated():
        rows = connection.execute(
            statement(_SQL, "fault_list.sql"), {"gateway": gateway, "ended": ended, "limit": limit}
        ).fetchall()
    return aligned(
        _FAULTS,
        [
            (
                fault_id,
                name,
                "ended" if until is not None else "sure" if seen - since >= _CONFIRMED else "seen once",
                status,
                duration(ahead_ms) if low == high else f"{duration(low)} … {duration(high)}",
                f"{moment(first_ms)} … {moment(last_ms)}",
                _at(since),
                _at(until),
                "-" if step_ms is None else duration(step_ms),
            )
            for fault_id, name, status, ahead_ms, low, high, first_ms, last_ms, since, seen, until, step_ms in rows
        ],
    )


def aside_table(connection: Connection, gateway: str, from_ms: int, to_ms: int) -> Iterator[str]:
    """Return one line per place where readings of a gateway wait for a right time, below a line of headings."""
    with translated():
        found = list(heaps(connection, gateway, from_ms, to_ms))
    return aligned(
        _ASIDE,
        [
            (
                heap.origin,
                heap.reason,
                heap.epoch,
                heap.readings,
                f"{moment(heap.first_ms)} … {moment(heap.last_ms)}",
                f"{_at(heap.arrived_first)} … {_at(heap.arrived_last)}",
            )
            for heap in found
        ],
    )


def repair_table(connection: Connection, gateway: str | None = None, limit: int = 50) -> Iterator[str]:
    """Return one line per repair, newest first, below a line of headings."""
    with translated():
        found = connection.execute(statement(_SQL, "repair_list.sql"), {"gateway": gateway, "limit": limit}).fetchall()
    return aligned(
        _REPAIRS,
        [
            (
                repair_id,
                name,
                duration(shift_ms),
                f"{moment(from_ms)} … {moment(to_ms)}",
                readings,
                by,
                _at(at),
                _at(undone_at),
                " ".join(reason.split()),
            )
            for repair_id, name, from_ms, to_ms, shift_ms, by, at, undone_at, reason, readings in found
        ],
    )


def moment(t_ms: int) -> str:
    """Return UTC milliseconds as ISO 8601; as a number where no calendar reaches."""
    try:
        at = from_ms(t_ms)
    except OverflowError:
        return f"{t_ms} ms"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{t_ms % 1000:03}Z"


def duration(ms: int) -> str:
    """Return milliseconds as the ISO 8601 duration that :func:`warehouse.options.duration_ms` reads."""
    days, rest = divmod(abs(ms), 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, left = divmod(rest, 1_000)
    clock = f"{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
    if left:
        clock += f"{seconds}.{left:03}S"
    elif seconds or not (days or clock):
        clock += f"{seconds}S"
    return f"{'-' if ms < 0 else '+'}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def _at(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%dT%H:%M:%S}Z"
