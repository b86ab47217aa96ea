"""Readings with a wrong time get the right one, in bulk, and get it taken back again.

A repair adds one shift to the times of the readings that wait (:mod:`warehouse.clock.aside`). Each is stored at its new
time with quality ``SUBSTITUTED``, or the worse one it had, and competes there as any reading does. What it was stays:
a stored one moves to ``reading_replaced``, a refused one stays in ``reading_rejected``, and ``ingest.clock_repaired``
says from where to where. Whatever it had displaced at its wrong time comes forward again.

A piece is one transaction with the sink's locks in the sink's order: the watermark, which makes the accounts notice,
and the gateway's ledger, so that none of its messages comes meanwhile; a message that comes later changes nothing
(``staged_repaired.sql``). A repair that dies leaves whole pieces; the same repair again goes on with what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from edge_agent.contract.birth import Kind
from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.contract.quality import Quality
from warehouse.clock import aside
from warehouse.clock.aside import Aside, Origin, Span
from warehouse.migrate import require_current
from warehouse.postgres import Connection, alone, statement, translated
from warehouse.refused.columns import Row, columns_of
from warehouse.refused.replay import ATTEMPTS, in_the_way
from warehouse.sink import batches, days, tables
from warehouse.sink.readings import EARLIEST_MS
from warehouse.sink.tables import Write
from warehouse.times import DAY_MS, SHANGHAI_MS

SINK: Final = "clock repair"
"""Name under which its batches are recorded."""
PIECE: Final = 2_000
"""Readings in one transaction, all of one series."""
MOST_SHIFT_MS: Final = 100 * 366 * 86_400_000
_LOCK: Final = 0x6730_0036
"""Advisory lock: one repair at a time in a database."""
_SQL: Final = "warehouse.clock"


@dataclass(frozen=True, slots=True)
class Word:
    """Who answers for a repair, and why it is made."""

    reason: str
    by: str | None = None
    """``None``: the database user."""
    fault_id: int | None = None
    """The measured fault that the shift comes from."""


@dataclass(slots=True)
class Repaired:
    """What a repair came to."""

    repair_id: int | None = None
    """``None`` when it was a dry run, or nothing waited."""
    moved: Counter[Origin] = field(default_factory=Counter)
    impossible: int = 0
    """Left alone: the new time would be before 2015 or more than a day after the reading's arrival."""


def shift_of(connection: Connection, gateway: str, fault_id: int) -> int:
    """Return the shift (ms) that puts right what a fault made wrong: the step that the agent told of, else measured.

    ``Misconfigured`` when the gateway has no such fault.
    """
    with translated():
        row = connection.execute(statement(_SQL, "fault_shift.sql"), {"fault_id": fault_id}).fetchone()
    if row is None or row[0] != gateway:
        raise Misconfigured(f"{gateway} has no fault {fault_id} (该网关无此时钟故障); g60 warehouse clock list")
    return int(row[1])


def repair(connection: Connection, span: Span, shift_ms: int, word: Word, *, dry_run: bool = False) -> Repaired:
    """Move the readings of ``span`` that wait by ``shift_ms``; with ``dry_run`` only say how many that would be.

    ``Misconfigured`` when the shift is none, or absurd. ``Retryable`` when sinks were in the way of the same piece
    ``ATTEMPTS`` times; what was moved before stays moved.
    """
    if not 0 < abs(shift_ms) <= MOST_SHIFT_MS:
        raise Misconfigured(f"a shift of {shift_ms} ms moves nothing, or too far (位移无效)")
    repaired = Repaired()
    with _one_repair(connection):
        for series_id, kind in aside.series_of(connection, span.gateway):
            if dry_run:
                repaired.moved.update(aside.count(connection, span, shift_ms, series_id, kind, possible=True))
            else:
                _repair_series(connection, span, shift_ms, word, repaired, series_id, kind)
            left = aside.count(connection, span, shift_ms, series_id, kind, possible=False)
            repaired.impossible += sum(left.values())
    return repaired


def undo(connection: Connection, repair_id: int, by: str | None = None) -> int:
    """Take a repair back, also one that was taken back in part; return how many readings that concerned.

    Everything stands as if the repair had not been, with what came since. ``Misconfigured`` when there is none.
    """
    undone = 0
    with _one_repair(connection):
        row = connection.execute(statement(_SQL, "undo_begin.sql"), {"repair_id": repair_id, "by": by}).fetchone()
        if row is None:
            raise Misconfigured(f"there is no repair {repair_id} (无此修复); g60 warehouse clock repairs")
        while count := _attempt(connection, partial(_undo_piece, connection, repair_id, row[0])):
            undone += count
    return undone


def _repair_series(
    connection: Connection, span: Span, shift_ms: int, word: Word, repaired: Repaired, series_id: int, kind: Kind
) -> None:
    while aside.piece(connection, span, shift_ms, series_id, kind, 1):
        if repaired.repair_id is None:
            repaired.repair_id = _begin(connection, span, shift_ms, word)
        repair_id = repaired.repair_id
        moved = _attempt(connection, partial(_repair_piece, connection, span, shift_ms, repair_id, series_id, kind))
        repaired.moved.update(one.origin for one in moved)


def _begin(connection: Connection, span: Span, shift_ms: int, word: Word) -> int:
    row = connection.execute(
        statement(_SQL, "repair_begin.sql"),
        {
            "gateway": span.gateway,
            "from_ms": span.from_ms,
            "to_ms": span.to_ms,
            "arrived_from": span.arrived_from,
            "arrived_to": span.arrived_to,
            "shift_ms": shift_ms,
            "fault_id": word.fault_id,
            "by": word.by,
            "reason": word.reason,
        },
    ).fetchone()
    if row is None:
        raise LookupError("the new repair has no number")
    return int(row[0])


def _repair_piece(
    connection: Connection, span: Span, shift_ms: int, repair_id: int, series_id: int, kind: Kind
) -> list[Aside]:
    with connection.transaction():
        desk = _Desk(connection, span.gateway, series_id, kind)
        found = aside.piece(connection, span, shift_ms, series_id, kind, PIECE)
        made = [Row(series_id, one.t_ms + shift_ms, one.value, _quality(one.q), one.message) for one in found]
        desk.note(repair_id, found, made)
        stored = [one for one in found if one.origin is Origin.STORED]
        desk.put_by(stored)
        desk.settle([*made, *desk.come_forward(one.t_ms for one in stored)])
        desk.leave((one.t_ms, one.message) for one in found)
        desk.end(len(found))
    return found


def _undo_piece(connection: Connection, repair_id: int, gateway: str) -> int:
    with connection.transaction():
        rows = connection.execute(statement(_SQL, "undo_piece.sql"), {"repair_id": repair_id, "most": PIECE}).fetchall()
        if not rows:
            return 0
        desk = _Desk(connection, gateway, rows[0][1], Kind(rows[0][2]))
        desk.unmake(rows)
        stood = [was_ms for _, _, _, origin, _, _, was_ms, _, _ in rows if origin != Origin.REJECTED]
        desk.settle(desk.come_forward([*stood, *(t_ms for *_, t_ms, _ in rows)]))
        desk.leave((t_ms, message) for _, _, _, _, _, message, was_ms, now_ms, _ in rows for t_ms in (was_ms, now_ms))
        desk.end(len(rows))
    return len(rows)


class _Desk:
    """One transaction about one series, begun with its locks."""

    def __init__(self, connection: Connection, gateway: str, series_id: int, kind: Kind) -> None:
        self._connection = connection
        self._series_id = series_id
        self._kind = kind
        self._batch, self._closed_ms = batches.begin(connection)
        connection.execute(statement(_SQL, "gateway_lock.sql"), {"gateway": gateway})
        # One series and few readings: what they unpack is bounded by that.
        connection.execute(statement("warehouse.sink", "deferred_limit.sql"))

    def note(self, repair_id: int, found: Sequence[Aside], made: Sequence[Row]) -> None:
        """Write down what moves from where to where."""
        self._run(
            "repaired_add.sql",
            repair_id=repair_id,
            origins=[str(one.origin) for one in found],
            rejected_ids=[one.rejected_id for one in found],
            messages=[one.message for one in found],
            values=[one.value for one in found],
            was_ms=[one.t_ms for one in found],
            was_q=[one.q for one in found],
            t_ms=[row.t_ms for row in made],
            q=[row.q for row in made],
        )
        rejected = [one.rejected_id for one in found if one.origin is Origin.REJECTED]
        if rejected:
            self._run("rejected_settle.sql", rejected_ids=rejected)

    def put_by(self, stored: Sequence[Aside]) -> None:
        """Move stored readings out of their table."""
        if stored:
            self._run(
                "stored_move.sql",
                t_ms=[one.t_ms for one in stored],
                messages=[one.message for one in stored],
                q=[one.q for one in stored],
                from_ms=min(one.t_ms for one in stored),
                to_ms=max(one.t_ms for one in stored),
            )

    def unmake(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take away what a repair made, and forget that it moved anything."""
        ids = [row[0] for row in rows]
        now = [t_ms for *_, t_ms, _ in rows]
        self._run("undo_remove.sql", repaired_ids=ids, from_ms=min(now), to_ms=max(now))
        self._run("undo_mark.sql", repaired_ids=ids)
        rejected = [row[4] for row in rows if row[4] is not None]
        if rejected:
            self._run("rejected_unsettle.sql", rejected_ids=rejected)

    def come_forward(self, t_ms: Iterable[int]) -> list[Row]:
        """Take out what had lost at these times, to compete again."""
        found = self._run("replaced_take.sql", t_ms=list(t_ms)).fetchall()
        return [Row(self._series_id, *rest) for rest in found]

    def settle(self, rows: Sequence[Row]) -> None:
        """Store ``rows`` against what is stored."""
        if rows:
            columns = columns_of(self._kind, rows)
            months = sorted(tables.months([columns.t_ms]))
            self._connection.execute(statement("warehouse.sink", "month_ensure.sql"), {"months": months})
            tables.merge(self._connection, Write(self._batch, self._closed_ms, frozenset()), self._kind, columns)

    def leave(self, left: Iterable[tuple[int, int]]) -> None:
        """Mark times that readings of messages left, or came back to, as changed for whoever counts or adds them up."""
        times = [(t_ms, message) for t_ms, message in left if t_ms >= EARLIEST_MS]
        days.touch_days(self._connection, {(message >> 40, (t + SHANGHAI_MS) // DAY_MS) for t, message in times})
        late = [t_ms for t_ms, _ in times if t_ms < self._closed_ms]
        if late:
            self._connection.execute(
                statement("warehouse.sink", "dirty_add.sql"),
                {
                    "series_ids": [self._series_id],
                    "from_ms": [min(late)],
                    "to_ms": [max(late)],
                    "batch": self._batch,
                },
            )

    def end(self, readings: int) -> None:
        """Write down the batch; the last thing before the commit."""
        batches.end(self._connection, self._batch, SINK, 0, readings)

    def _run(self, name: str, **parameters: Any) -> Any:
        return self._connection.execute(
            aside.sql(name, self._kind), {"series_id": self._series_id, "batch": self._batch, **parameters}
        )


def _quality(q: int) -> int:
    """Return the quality at the new time: substituted, unless the reading was worse for another reason."""
    return q if q > Quality.CLOCK_UNSYNCED else int(Quality.SUBSTITUTED)


def _attempt(connection: Connection, step: Callable[[], Any]) -> Any:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with in_the_way():
                return step()
        except Retryable:
            if attempt == ATTEMPTS or connection.broken:
                raise
    raise AssertionError("unreachable")


@contextmanager
def _one_repair(connection: Connection) -> Iterator[None]:
    with alone(connection, _LOCK):
        require_current(connection)
        yield
