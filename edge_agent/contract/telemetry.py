"""Telemetry batches: readings of many series in one message."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self

from pydantic import Field, StrictFloat, StrictInt, model_validator

from edge_agent.contract.birth import INT64_MAX, Digest, SeriesName
from edge_agent.contract.quality import Quality
from edge_agent.contract.wire import Epoch, Message, Seq, TimeMs, Wire, decode

MAX_READINGS: Final = 10_000
"""Readings in one message; an agent closes a message earlier."""

Value = Annotated[StrictInt, Field(ge=-INT64_MAX - 1, le=INT64_MAX)] | StrictFloat | None


class DropReason(StrEnum):
    """Why the buffer gave up messages that had never been sent."""

    OVERFLOW_THINNED = "overflow_thinned"
    """Every second message of gauges was removed to make room."""
    OVERFLOW_GAUGES = "overflow_gauges"
    OVERFLOW_REGISTERS = "overflow_registers"
    CORRUPT = "corrupt"
    """The disk gave back something else than was written."""


class Dropped(NamedTuple):
    """Messages ``first`` … ``last`` that will never come, and how many readings went with them."""

    first: Seq
    last: Seq
    reason: DropReason
    readings: Annotated[int, Field(ge=0)]


class Points(Wire):
    """The readings of one series: equally long lists of times, values and, unless all are good, qualities."""

    t: Annotated[tuple[TimeMs, ...], Field(min_length=1)]
    v: Annotated[tuple[Value, ...], Field(min_length=1)]
    q: tuple[Quality, ...] = ()

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if len(self.v) != len(self.t) or (self.q and len(self.q) != len(self.t)):
            raise ValueError(f"t, v and q must be equally long, found {len(self.t)}, {len(self.v)}, {len(self.q)}")
        return self


class Batch(Message):
    """One telemetry message. Once written to the buffer its bytes never change."""

    b: Digest
    """Digest of the birth that explains the series names."""
    epoch: Epoch
    seq: Seq
    sent: TimeMs
    """When the message was written to the buffer."""
    series: dict[SeriesName, Points]
    """May be empty when the message exists only to report ``dropped``."""
    dropped: tuple[Dropped, ...] = ()

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.readings > MAX_READINGS:
            raise ValueError(f"{self.readings} readings, at most {MAX_READINGS}")
        for gap in self.dropped:
            if not gap.first <= gap.last < self.seq:
                raise ValueError(f"dropped {gap.first}-{gap.last} does not lie before message {self.seq}")
        return self

    @property
    def readings(self) -> int:
        """Number of readings in the message."""
        return sum(len(points.t) for points in self.series.values())


def parse_batch(payload: bytes) -> Batch:
    """Parse a telemetry message; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``.

    Whether each value suits its series is not known here: that needs the birth (:func:`.birth.check_value`).
    """
    return decode(Batch, payload)
