"""The clocks of devices that stamp their own values: measured against the gateway's, doubted where they are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edge_agent.clock import plausible
from edge_agent.sources import Stamped

WRONG_FROM_MS: Final = 60_000
"""A device's clock that differs by more from the gateway's is wrong; what it stamps is marked, never dropped."""
RECORD_FROM_MS: Final = 1_420_070_400_000
"""2015-01-01 UTC. No gateway of the district is older: an earlier time in a record is a clock that was never set."""
_TELL_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Told:
    offset_ms: int
    at_mono_s: float


class DeviceClocks:
    """How far each device's clock is from the gateway's; written by one thread, read from any."""

    def __init__(self) -> None:
        self._offsets_ms: Mapping[str, int] = {}
        self._told: dict[str, _Told] = {}

    def measured(self, device: str, latest_ms: int, now_ms: int, now_mono_s: float) -> str | None:
        """Note what ``device`` showed when the gateway's clock showed ``now_ms``; return what is to be told of it.

        Nothing is measured by a gateway's clock that was never set. Told is a clock that is wrong, right again, or
        wrong by something else, at most once a minute for each device.
        """
        if not plausible(now_ms):
            return None
        offset_ms = latest_ms - now_ms
        self._offsets_ms = {**self._offsets_ms, device: offset_ms}
        told = self._told.get(device, _Told(0, now_mono_s - _TELL_S))
        if abs(offset_ms - told.offset_ms) <= WRONG_FROM_MS or now_mono_s - told.at_mono_s < _TELL_S:
            return None
        self._told[device] = _Told(offset_ms, now_mono_s)
        verdict = "right again (已恢复)" if abs(offset_ms) <= WRONG_FROM_MS else "wrong (设备时钟错误)"
        return f"offset_ms={offset_ms} before_ms={told.offset_ms} device={latest_ms} gateway={now_ms}; {verdict}"

    def offset_ms(self, device: str) -> int | None:
        """Return the device's clock minus the gateway's at the last measurement; ``None`` before there was one."""
        return self._offsets_ms.get(device)

    def offsets_ms(self) -> Mapping[str, int]:
        """Return all offsets; never changes afterwards."""
        return self._offsets_ms


def doubt(stamped: Stamped, device_offset_ms: int | None, now_ms: int) -> Callable[[int], bool]:
    """Return which times of a poll recorded at ``now_ms`` (the gateway's clock) were given by a wrong clock."""
    is_set = plausible(now_ms)
    match stamped:
        case Stamped.GATEWAY:
            return lambda t_ms: not is_set or not plausible(t_ms)
        case Stamped.DEVICE:
            wrong = is_set and device_offset_ms is not None and abs(device_offset_ms) > WRONG_FROM_MS
            return lambda t_ms: wrong or not plausible(t_ms)
        case Stamped.RECORD:
            return lambda t_ms: t_ms < RECORD_FROM_MS or (is_set and t_ms > now_ms + WRONG_FROM_MS)
