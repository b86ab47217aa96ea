"""Points, resolved: what the settings say, with every default filled in and every address counted from 0."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from edge_agent.contract.birth import SeriesSpec
from edge_agent.sources.modbus.decode import Layout
from edge_agent.sources.modbus.settings import Device, Function, Point


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """One series and the registers it is read from; ``address`` is that on the wire, from 0."""

    series: str
    function: Function
    address: int
    layout: Layout
    interval_ms: int
    spec: SeriesSpec

    @property
    def end(self) -> int:
        """Address after the last register."""
        return self.address + self.layout.dtype.words


def tags_of(device: Device) -> tuple[Tag, ...]:
    """Return the points of ``device``, resolved."""
    return tuple(_tag(device, point) for point in device.points)


def _tag(device: Device, point: Point) -> Tag:
    interval_ms = point.interval_ms or device.interval_ms
    return Tag(
        series=point.series or f"{device.name}.{point.quantity}",
        function=point.function or device.function,
        address=point.address - device.address_base,
        layout=Layout(
            dtype=point.dtype,
            order=point.order or device.order,
            kind=point.kind,
            scale=Fraction(point.scale),
            decimals=point.decimals,
            range=point.range,
        ),
        interval_ms=interval_ms,
        spec=SeriesSpec(
            device=device.name,
            quantity=point.quantity,
            unit=point.unit,
            kind=point.kind,
            interval_ms=interval_ms,
            carrier=device.carrier,
            meter=device.meter,
            decimals=point.decimals,
            range=point.range,
            claimed_ratio=point.claimed_ratio or device.claimed_ratio,
            rated_max=point.rated_max,
        ),
    )
