"""Tables for people: the ledger, its holes, and completeness."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from warehouse.postgres import Connection, statement, translated
from warehouse.table import aligned

_SQL: Final = "warehouse.ledger"
_LEDGER: Final = (
    ("gateway", "epoch", "stored", "rejected", "dropped", "held", "open", "lost", "repeated", "reused", ""),
    ("网关", "世代", "已存", "拒收", "丢弃", "待发", "待补", "丢失", "重发", "重号", ""),
)
_HOLES: Final = (
    ("gateway", "epoch", "messages", "count", "readings", "state", "since", "age"),
    ("网关", "世代", "消息号", "条数", "读数", "状态", "自", "时长"),
)
_CLOSED: Final = (
    ("gateway", "epoch", "messages", "count", "ended", "since", "closed", "lasted"),
    ("网关", "世代", "消息号", "条数", "结果", "自", "补齐", "时长"),
)
_COUNTS: Final = (
    ("complete", "expected", "received", "unexpected", "bad", "late", "rejected", "replaced"),
    ("完整率", "应收", "实收", "计划外", "无效", "迟到", "拒收", "被替换"),
)
_GATEWAYS: Final = (
    ("gateway", "day", *_COUNTS[0], "series", "silent", "as of"),
    ("网关", "日期", *_COUNTS[1], "序列", "无数据", "截至"),
)
_SERIES: Final = (("series", "day", *_COUNTS[0], "as of"), ("序列", "日期", *_COUNTS[1], "截至"))
BEHIND: Final = (
    "the ledger has changed since the last look (台账已有变化): g60 warehouse count looks now, "
    "g60 warehouse jobs every minute"
)


def ledger_table(connection: Connection, gateway: str | None = None, *, only_open: bool = False) -> Iterator[str]:
    """Return one line per gateway and epoch, below headings."""
    with translated():
        found = connection.execute(
            statement(_SQL, "ledger_list.sql"), {"gateway": gateway, "only_open": only_open}
        ).fetchall()
    rows = [
        (name, epoch, stored, rejected, dropped, _held(first, last), *rest, "degraded" if degraded else "")
        for name, epoch, stored, rejected, dropped, first, last, *rest, degraded in found
    ]
    return aligned(_LEDGER[0], [_LEDGER[1], *rows])


def holes_table(connection: Connection, now: datetime, gateway: str | None, limit: int) -> Iterator[str]:
    """Return one line per hole that stands, and per kind of drop; ≈ marks an estimate. Says when a look is due."""
    with translated():
        found = connection.execute(statement(_SQL, "holes_list.sql"), {"gateway": gateway, "limit": limit}).fetchall()
        behind = connection.execute(statement(_SQL, "holes_behind.sql")).fetchone()
    rows = [
        (
            name, epoch, _range(first, last), messages, _readings(readings, about=about), state, _moment(since),
            "?" if since is None else _length(now - since),
        )
        for name, epoch, first, last, messages, readings, about, state, since in found
    ]  # fmt: skip
    yield from aligned(_HOLES[0], [_HOLES[1], *rows])
    if behind == (True,):
        yield BEHIND


def closed_table(connection: Connection, gateway: str | None, limit: int) -> Iterator[str]:
    """Return one line per hole that closed, the last one first."""
    with translated():
        found = connection.execute(statement(_SQL, "holes_closed.sql"), {"gateway": gateway, "limit": limit}).fetchall()
    rows = [
        (
            name, epoch, _range(first, last), messages,
            ended if readings is None else f"{ended} ({readings} readings)",
            _moment(since), _moment(closed), _length(closed - since),
        )
        for name, epoch, first, last, messages, readings, ended, since, closed in found
    ]  # fmt: skip
    return aligned(_CLOSED[0], [_CLOSED[1], *rows])


def gateways_table(connection: Connection, gateway: str | None, first: date, last: date) -> Iterator[str]:
    """Return one line per gateway and day, with completeness and what it is made of."""
    with translated():
        found = connection.execute(
            statement(_SQL, "completeness_gateways.sql"), {"gateway": gateway, "first": first, "last": last}
        ).fetchall()
    rows = [
        (name, day, _percent(ratio), "?" if expected is None else expected, *counts, _moment(counted_at))
        for name, day, ratio, expected, *counts, counted_at in found
    ]
    return aligned(_GATEWAYS[0], [_GATEWAYS[1], *rows])


def series_table(connection: Connection, gateway: str, day: date) -> Iterator[str]:
    """Return one line per series of a gateway's day."""
    with translated():
        found = connection.execute(
            statement(_SQL, "completeness_series.sql"), {"gateway": gateway, "day": day}
        ).fetchall()
    rows = [
        (name, on, _percent(ratio), "?" if expected is None else expected, *counts, _moment(counted_at))
        for name, on, ratio, expected, *counts, counted_at in found
    ]
    return aligned(_SERIES[0], [_SERIES[1], *rows])


def _held(first: int | None, last: int | None) -> str:
    return "?" if first is None or last is None else _range(first, last) if first <= last else "none"


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _readings(readings: Decimal | None, *, about: bool) -> str:
    return "?" if readings is None else f"{'≈' if about else ''}{readings:.0f}"


def _percent(ratio: Decimal | None) -> str:
    """Return a ratio rounded down, so that 100 % means all."""
    return "?" if ratio is None else f"{(100 * ratio).quantize(Decimal('0.01'), ROUND_FLOOR)} %"


def _moment(at: datetime | None) -> str:
    return "?" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def _length(length: timedelta) -> str:
    minutes = max(0, length // timedelta(minutes=1))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"
