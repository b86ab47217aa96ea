"""Gateways and what they say: births and telemetry by the contract's own encoders, then only numbers replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.contract.birth import Birth, Kind, SeriesSpec, digest_of
from edge_agent.contract.telemetry import Batch, Points

SERIES_A_MESSAGE: Final = 20
"""Series in one message; a gateway with more sends them in turn."""

_NAME: Final = "gw-00000"
_DIGEST: Final = "f" * 32
_EPOCH: Final = (1 << 53) - 1
_SEQ: Final = (1 << 40) - 1
_SENT: Final = (1 << 53) - 2
_TIME: Final = (1 << 53) - 3


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway."""

    name: str
    birth: bytes
    digest: str


def fleet(count: int, series: int) -> tuple[Gateway, ...]:
    """Return ``count`` gateways of ``series`` gauges each."""
    specs = {
        name: SeriesSpec(
            device=name.partition(".")[0], quantity="active_power", unit="kW", kind=Kind.GAUGE, interval_ms=10_000
        )
        for name in names(series)
    }
    prototype = Birth(gateway=_NAME, series=specs, agent="load").encode()
    mark = f'"gateway":"{_NAME}"'.encode()
    if prototype.count(mark) != 1:
        raise ValueError("the gateway's name does not stand in its birth exactly once")
    found = []
    for number in range(count):
        name = f"gw-{number:05}"
        birth = prototype.replace(mark, f'"gateway":"{name}"'.encode())
        found.append(Gateway(name, birth, digest_of(birth)))
    return tuple(found)


def names(series: int) -> tuple[str, ...]:
    """Return the names of a gateway's series."""
    return tuple(f"meter-{number:03}.active_power" for number in range(series))


class Template:
    """One telemetry message of some series and points; what differs from message to message is filled in."""

    def __init__(self, series: Sequence[str], points: int, dice: np.random.Generator) -> None:
        times = tuple(_TIME - after for after in range(points))
        runs = {
            name: Points(t=times, v=tuple(round(float(dice.normal(250.0, 40.0)), 1) for _ in times)) for name in series
        }
        text = Batch(b=_DIGEST, epoch=_EPOCH, seq=_SEQ, sent=_SENT, series=runs).encode()
        for found, name, often in (
            (_DIGEST.encode(), b"b", 1),
            (b"%d" % _EPOCH, b"epoch", 1),
            (b"%d" % _SEQ, b"seq", 1),
            (b"%d" % _SENT, b"sent", 1),
            (b",".join(b"%d" % t for t in times), b"t", len(series)),
        ):
            if text.count(found) != often:
                raise ValueError(f"{found!r} stands {text.count(found)} times in the message, not {often}")
            text = text.replace(found, b"%%(%b)b" % name)
        self._text = text

    def fill(self, digest: str, epoch: int, seq: int, sent_ms: int, times_ms: Sequence[int]) -> bytes:
        """Return the message; canonical JSON, as an agent would have written it."""
        return self._text % {
            b"b": digest.encode(),
            b"epoch": b"%d" % epoch,
            b"seq": b"%d" % seq,
            b"sent": b"%d" % sent_ms,
            b"t": b",".join([b"%d" % t for t in times_ms]),
        }


def templates(series: int, points: int) -> tuple[Template, ...]:
    """Return one template for each group of ``SERIES_A_MESSAGE`` series of a gateway."""
    dice = np.random.default_rng(series * points)
    all_names = names(series)
    groups = [all_names[at : at + SERIES_A_MESSAGE] for at in range(0, series, SERIES_A_MESSAGE)]
    return tuple(Template(group, points, dice) for group in groups)


def new_epoch(now_ms: int) -> int:
    """Return the epoch of buffers that begin now."""
    return now_ms << 10
