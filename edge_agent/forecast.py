"""What the buffer needs: hours to bytes, from what is configured, before anything was written (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_agent.contract.birth import Kind, SeriesSpec
from edge_agent.outbox.intake import DISK_MARGIN_BYTES, Compression
from edge_agent.outbox.overflow import Room
from edge_agent.settings import Publish

_HOUR_S: Final = 3_600.0
_ENVELOPE_BYTES: Final = 150
"""Of a message around its series: digest, epoch, seq, time, version; measured."""
_ROW_BYTES: Final = 100
"""Of a message in the file beside its payload."""
_SERIES_BYTES: Final = 22
"""Of a series in a message beside its name."""
_TIME_BYTES: Final = 14
_GAUGE_BYTES: Final = 9
_STATE_BYTES: Final = 3
_GZIPPED: Final = 0.25
"""What gzip leaves of the JSON of many readings, measured; and of each message besides:"""
_GZIP_BYTES: Final = 90


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the buffer is as large as its hours want."""

    bytes_per_hour: float
    wanted_bytes: int
    """For the configured hours, the part that is kept free included."""
    max_bytes: int
    free_bytes: int
    """Of the disk, what the buffer already takes included."""
    hours: float
    """What the smaller of both lasts."""

    @property
    def fits(self) -> bool:
        """True when neither the cap nor the disk is in the way."""
        return self.fits_cap and self.fits_disk

    @property
    def fits_cap(self) -> bool:
        """True when ``max_bytes`` allows it."""
        return self.wanted_bytes <= self.max_bytes

    @property
    def fits_disk(self) -> bool:
        """True when the disk has room for it, and what has to stay free besides."""
        return self.wanted_bytes + DISK_MARGIN_BYTES <= self.free_bytes


def bytes_per_hour(publish: Publish, series: Mapping[str, SeriesSpec]) -> float:
    """Return what the file grows by while nothing is confirmed, as far as the configuration tells.

    Files of the past (``[[replay]]``) come on top while they are read; their series count as if they went on.
    """
    total = 0.0
    for registers in (False, True):
        specs = {name: spec for name, spec in series.items() if (spec.kind is Kind.REGISTER) is registers}
        if not specs:
            continue
        per_s = sum(1_000 / spec.interval_ms for spec in specs.values())
        # A message is made when the first of its readings has waited long enough, or when there are enough of them.
        quickest_s = min(spec.interval_ms for spec in specs.values()) / 1_000
        period_s = max(min(max(publish.batch_s, quickest_s), publish.batch_readings / per_s), 0.001)
        payload = 0.0
        for name, spec in specs.items():
            readings = 1_000 * period_s / spec.interval_ms
            payload += min(readings, 1.0) * (len(name) + _SERIES_BYTES) + readings * (_TIME_BYTES + _value_bytes(spec))
        messages = max(1.0, payload / publish.max_message_bytes, per_s * period_s / publish.batch_readings)
        body = payload + messages * _ENVELOPE_BYTES
        kept = body if publish.compression is Compression.NONE else body * _GZIPPED + messages * _GZIP_BYTES
        total += (kept + messages * _ROW_BYTES) * _HOUR_S / period_s
    return total


def _value_bytes(spec: SeriesSpec) -> int:
    match spec.kind:
        case Kind.REGISTER:
            return len(str((spec.range or 2) - 1)) + 1
        case Kind.GAUGE:
            return _GAUGE_BYTES
        case Kind.STATE:
            return _STATE_BYTES


def verdict(per_hour: float, hours: float, max_bytes: int, free_bytes: int) -> Verdict:
    """Return whether ``hours`` fit, at ``per_hour`` bytes, into ``max_bytes`` and the ``free_bytes`` of the disk."""
    kept_free = max_bytes - Room.within(max_bytes).start_bytes
    wanted = round(hours * per_hour) + kept_free
    usable = max(min(max_bytes, free_bytes - DISK_MARGIN_BYTES) - kept_free, 0)
    return Verdict(per_hour, wanted, max_bytes, free_bytes, usable / per_hour)
