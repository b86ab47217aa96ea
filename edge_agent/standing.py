"""How an agent stands, told to a person in English and Chinese (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from edge_agent.device_clocks import WRONG_FROM_MS
from edge_agent.forecast import Verdict, verdict
from edge_agent.listing import table
from edge_agent.outbox.inspection import Numbers
from edge_agent.publisher.report import Report

_MIB = 1 << 20
_HOUR_MS = 3_600_000


def describe(
    gateway: str, numbers: Numbers, connection: Report | None, expected: Verdict, hours: float, now_ms: int
) -> str:
    """Return what ``g60-edge status`` shows; ``expected`` is what holds until something was measured."""
    held = (
        f"{numbers.held_messages} messages, {numbers.held_readings} readings, "
        f"{numbers.never_sent_messages} never sent (未发送 {numbers.never_sent_messages} 条)"
    )
    rows = [
        ("gateway 网关", gateway),
        ("connection 连接", _connection(connection)),
        ("held 待确认", held),
        ("pending 待组包", f"{numbers.pending_readings} readings"),
        ("oldest 最早", "-" if numbers.oldest_ms is None else _moment(numbers.oldest_ms, now_ms)),
        ("disk 磁盘", f"{numbers.used_bytes / _MIB:.1f} of {numbers.max_bytes / _MIB:.0f} MiB"),
        ("room 余量", _room(numbers, expected, hours)),
        ("confirmed 已确认", _confirmed(numbers, now_ms)),
        ("dropped 已丢弃", f"{numbers.dropped_messages} messages, {numbers.dropped_readings} readings"),
        *((f"clock 时钟 {device}", _offset(ms)) for device, ms in sorted(_clocks(connection).items())),
        ("epoch 周期", f"{numbers.epoch}, last message {numbers.last_seq}"),
    ]
    return table(rows)


def _connection(found: Report | None) -> str:
    if found is None:
        return "the agent is not running (采集程序未运行)"
    if found.stopped:
        return f"stopped by itself (已自行停止) {_time(found.at_ms)}: {found.stopped}"
    since = f"{_time(found.since_ms)}, {found.broker}"
    if not found.connected:
        return f"down since (断开) {since}: {found.trouble}"
    return f"up since (已连接) {since}" + (f"; {found.trouble}" if found.trouble else "")


def _clocks(found: Report | None) -> Mapping[str, int]:
    return {} if found is None else found.device_clocks


def _offset(offset_ms: int) -> str:
    ahead = "ahead of (快于)" if offset_ms > 0 else "behind (慢于)"
    wrong = "" if abs(offset_ms) <= WRONG_FROM_MS else ": WRONG (时钟错误), its values are marked"
    return f"{abs(offset_ms) / 1000:.1f} s {ahead} the gateway{wrong}"


def _room(numbers: Numbers, expected: Verdict, hours: float) -> str:
    if numbers.hours_left is None or numbers.bytes_per_hour is None:
        return f"by configuration (按配置估算) {room(expected, hours)}"
    measured = verdict(numbers.bytes_per_hour, hours, numbers.max_bytes, numbers.free_bytes)
    return f"{numbers.hours_left:.1f} h left (剩余); {room(measured, hours)}"


def room(found: Verdict, hours: float) -> str:
    """Return what ``hours`` of buffering need, and whether they fit the cap and the disk."""
    needs = (
        f"{found.bytes_per_hour / _MIB:.2f} MiB/h, {hours:g} h need {found.wanted_bytes / _MIB:.0f} MiB of "
        f"{found.max_bytes / _MIB:.0f} MiB allowed and {found.free_bytes / _MIB:.0f} MiB free"
    )
    if found.fits:
        return f"{needs}: enough (足够)"
    what = [] if found.fits_cap else [f"raise outbox.max_bytes to {found.wanted_bytes} (请提高 max_bytes)"]
    what += [] if found.fits_disk else ["make room on the disk (磁盘空间不足)"]
    return f"{needs}: TOO LITTLE (不足), lasts {found.hours:.1f} h; {', '.join(what)}, or lower outbox.hours"


def _confirmed(numbers: Numbers, now_ms: int) -> str:
    if numbers.confirmed_at_ms is None:
        return "never (尚未确认)"
    return f"through {numbers.confirmed_through}, {_moment(numbers.confirmed_at_ms, now_ms)}"


def _moment(at_ms: int, now_ms: int) -> str:
    passed_ms = now_ms - at_ms
    ago = f"{passed_ms / 1000:.0f} s" if passed_ms < _HOUR_MS else f"{passed_ms / _HOUR_MS:.1f} h"
    return f"{_time(at_ms)} ({ago} ago 前)"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
