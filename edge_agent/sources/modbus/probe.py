"""Reads every point of a connection once and shows what came: finds a wrong address base or word order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from edge_agent.contract.birth import Kind
from edge_agent.contract.errors import BadRecord
from edge_agent.sources.clock import Clock, SystemClock
from edge_agent.sources.modbus.client import Client, Refusal, Unanswered, Unreachable
from edge_agent.sources.modbus.decode import Layout, WordOrder, bytes_of, decode
from edge_agent.sources.modbus.settings import Device, ModbusConnection, Point
from edge_agent.sources.modbus.tags import Tag, tags_of


@dataclass(frozen=True, slots=True)
class ProbeLine:
    """What one point gave."""

    series: str
    device: str
    unit_id: int
    function: str
    address: int
    """As in the settings, counted from the device's base."""
    unit: str
    words: tuple[int, ...] = ()
    """The raw registers; empty when nothing was answered."""
    value: int | float | None = None
    """As the source would send it: a register in least digits."""
    shown: str = ""
    """The value as the meter displays it, without its unit."""
    error: str = ""
    """What went wrong, in words; empty when nothing did."""
    orders: Mapping[WordOrder, str] = field(default_factory=dict)
    """The value as it would be in the other word orders, where it would be one at all."""


async def probe(settings: ModbusConnection, *, clock: Clock | None = None) -> list[ProbeLine]:
    """Read each point of ``settings`` by itself, once; a line for each, in the order of the settings.

    Nothing raises for what the other side does: the line says it. A unit that does not answer is asked once.
    """
    client = Client(settings, clock or SystemClock())
    silent: dict[int, str] = {}
    lines = []
    try:
        for device in settings.devices:
            for point, tag in zip(device.points, tags_of(device), strict=True):
                line = _blank(device, point, tag)
                if device.unit_id not in silent:
                    line = await _read(client, line, tag, silent)
                else:
                    line = replace(line, error=f"not asked: {silent[device.unit_id]}")
                lines.append(line)
    finally:
        client.close()
    return lines


async def _read(client: Client, line: ProbeLine, tag: Tag, silent: dict[int, str]) -> ProbeLine:
    try:
        if not client.connected:
            await client.connect()
        found = await client.read(line.unit_id, tag.function, tag.address, tag.layout.dtype.words)
    except (Unreachable, Unanswered) as error:
        silent[line.unit_id] = str(error)
        return replace(line, error=str(error))
    if isinstance(found, Refusal):
        return replace(line, error=found.shown)
    line = replace(line, words=tuple(found.words), orders=_other_orders(found.words, tag.layout))
    try:
        value = decode(found.words, tag.layout)
    except BadRecord as error:
        return replace(line, error=str(error))
    return replace(line, value=value, shown=shown(value, tag.layout))


def _blank(device: Device, point: Point, tag: Tag) -> ProbeLine:
    return ProbeLine(tag.series, device.name, device.unit_id, tag.function, point.address, point.unit)


def _other_orders(words: list[int], layout: Layout) -> dict[WordOrder, str]:
    orders: dict[WordOrder, str] = {}
    for order in WordOrder:
        other = replace(layout, order=order)
        if bytes_of(words, order) in {bytes_of(words, known) for known in (layout.order, *orders)}:
            continue
        try:
            orders[order] = shown(decode(words, other), other)
        except BadRecord:
            continue
    return orders


def shown(value: int | float, layout: Layout) -> str:
    """Return ``value`` as the meter displays it: a register with its decimal point."""
    if layout.kind is Kind.REGISTER and isinstance(value, int):
        return f"{Decimal(value).scaleb(-(layout.decimals or 0)):f}"
    return str(value)
