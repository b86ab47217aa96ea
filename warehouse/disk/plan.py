"""From a fleet to bytes a day, a month and when everything is kept as long as it shall be; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from warehouse.disk.measured import Sizes
from warehouse.table import aligned

DAY_S: Final = 86_400
MONTH_DAYS: Final = 365.25 / 12
_FRESH_DAYS: Final = {"gauge": 1 + 7, "register": 7 + 14}
"""Days that a row may wait for its compression: the chunk's own, and those of the rule (g60 warehouse retention)."""
KAFKA_DAYS: Final = 3
"""Days that Kafka keeps telemetry (72 h)."""
WAL_BYTES: Final = 4 << 30
"""Room for the write-ahead log: twice max_wal_size (2 GB), which a burst of writes may reach."""
SPARE: Final = 0.25
"""Part of the disk that stays free: for VACUUM, sorting, an index that is built anew, a backup under way."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What sends, and how long each kind is kept, in days."""

    gateways: int
    gauges: int
    """Series of gauges of one gateway."""
    interval_s: float
    registers: int
    """Registers of one gateway; each is taken for a meter with an energy account."""
    register_interval_s: float
    keep_gauges_days: float
    keep_registers_days: float
    keep_energy_days: float
    kafka_replicas: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One part: rows a day, bytes of a new day, and bytes once it is kept as long as it shall be."""

    name: str
    rows_a_day: float
    day_bytes: float
    keep_days: float
    kept_bytes: float

    @property
    def month_bytes(self) -> float:
        """Bytes of a month's new rows, as they are written."""
        return self.day_bytes * MONTH_DAYS


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts, in the order of the path of a reading."""

    lines: tuple[Line, ...]
    wal_day_bytes: float
    """Write-ahead log of a day, for whoever archives it; an archive keeps as many days as it shall."""

    @property
    def database_bytes(self) -> float:
        """The database at retention."""
        return sum(line.kept_bytes for line in self.lines if line.name not in _BESIDE)

    @property
    def total_bytes(self) -> float:
        """Everything on the disk, at retention, with what stays free."""
        return sum(line.kept_bytes for line in self.lines) / (1 - SPARE)


_READINGS: Final = {"gauge": "gauges 瞬时量", "register": "registers 表底"}
_ACCOUNTS: Final = (
    ("quarter", "quarter-hours 一刻钟电量", 96.0),
    ("hour", "hours 小时电量", 24.0),
    ("day", "days 日电量", 1.0),
    ("month", "months 月电量", 1 / MONTH_DAYS),
)
_KAFKA: Final = "Kafka 消息队列"
_WAL: Final = "WAL 预写日志"
_BESIDE: Final = frozenset({_KAFKA, _WAL})


def plan(fleet: Fleet, sizes: Sizes) -> Plan:
    """Return what ``fleet`` takes, by ``sizes``."""
    rows = {
        "gauge": fleet.gateways * fleet.gauges * DAY_S / fleet.interval_s,
        "register": fleet.gateways * fleet.registers * DAY_S / fleet.register_interval_s,
    }
    keep = {"gauge": fleet.keep_gauges_days, "register": fleet.keep_registers_days}
    lines = [_reading(kind, rows[kind], keep[kind], sizes) for kind in rows]
    meters = fleet.gateways * fleet.registers
    lines += [
        _steady(name, meters * a_day, sizes.kept[kind], fleet.keep_energy_days) for kind, name, a_day in _ACCOUNTS
    ]
    series = fleet.gateways * (fleet.gauges + fleet.registers)
    lines.append(_steady("completeness 完整率", float(series), sizes.kept["completeness"], fleet.keep_energy_days))
    readings = sum(rows.values())
    lines.append(_steady(_KAFKA, readings, sizes.kept["kafka"] * fleet.kafka_replicas, KAFKA_DAYS))
    wal = readings * sizes.kept["wal_reading"] + meters * 96 * sizes.kept["wal_account"]
    lines.append(Line(_WAL, 0, 0, 0, WAL_BYTES))
    return Plan(tuple(lines), wal)


def _reading(kind: str, rows: float, keep_days: float, sizes: Sizes) -> Line:
    fresh, kept = sizes.fresh[kind], sizes.kept[kind]
    waiting = min(float(_FRESH_DAYS[kind]), keep_days) if fresh != kept else 0.0
    return Line(_READINGS[kind], rows, rows * fresh, keep_days, rows * (waiting * fresh + (keep_days - waiting) * kept))


def _steady(name: str, rows: float, size: float, keep_days: float) -> Line:
    return Line(name, rows, rows * size, keep_days, rows * size * keep_days)


def table(found: Plan) -> Iterator[str]:
    """Return the plan as lines of text for a terminal."""
    rows = [
        (line.name, f"{line.rows_a_day:,.0f}", told(line.day_bytes), told(line.month_bytes), f"{line.keep_days:,.0f}",
         told(line.kept_bytes))
        for line in found.lines
    ]  # fmt: skip
    yield from aligned(
        ("part 部分", "rows/day 行/日", "a day 每日", "a month 每月", "days kept 保留天数", "kept 保留量"), rows
    )
    yield f"database at retention (数据库稳定后): {told(found.database_bytes)}"
    yield f"disk, with Kafka, WAL and {SPARE:.0%} free (建议磁盘): {told(found.total_bytes)}"
    yield f"archived WAL a day, if archived (归档日志每日): {told(found.wal_day_bytes)}"


def told(size: float) -> str:
    """Return bytes for people, in powers of 1000 as disks are sold."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 999.5:
            return f"{size:.3g} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1_000
    return f"{size:,.1f} PB"
