"""Sources: where readings come from. One folder per source; each implements :class:`Source`.

A source knows its protocol and nothing of MQTT, disks or the district. It stamps a value when it is read, never
multiplies it, and hands every poll to a :class:`Recorder` **before** it asks the same device again: a device that is
asked again may conclude that its last answer is safe on the gateway's disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge_agent.contract.birth import SeriesSpec
from edge_agent.contract.quality import Quality


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one series, as it was read; a register is an integer in least digits."""

    series: str
    t_ms: int
    """UTC milliseconds at the read."""
    value: int | float | None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a source has come in something it can read again; written together with the readings."""

    key: str
    value: str


class Stamped(StrEnum):
    """Whose clock gave the times of a poll, which decides by what they are doubted."""

    GATEWAY = "gateway"
    """The gateway's, when the answer arrived."""
    DEVICE = "device"
    """The device's own, just now; the recorder compares it with the gateway's."""
    RECORD = "record"
    """They came with values of the past, out of a file or an archive."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What one device answered at once; recorded whole or not at all."""

    device: str
    readings: tuple[Reading, ...]
    bookmark: Bookmark | None = None
    stamped: Stamped = Stamped.GATEWAY


class Recorder(Protocol):
    """Takes readings to disk."""

    async def record(self, poll: Poll) -> None:
        """Return once ``poll`` and its bookmark are on disk, in one transaction."""

    async def bookmark(self, key: str) -> str | None:
        """Return what was last recorded under ``key``; ``None`` when nothing was."""

    def device_up(self, device: str) -> None:
        """Say that ``device`` answers; cheap, may be said at every poll."""

    def device_down(self, device: str, why: str) -> None:
        """Say that ``device`` does not answer, and why, in words for a person."""


class Source(Protocol):
    """A place readings come from."""

    def series(self) -> Mapping[str, SeriesSpec]:
        """Return what this source will send, by series name; fixed for its life."""

    async def run(self, recorder: Recorder) -> None:
        """Read and record until cancelled, or until there is nothing more to read.

        Trouble with one device is told by ``device_down`` and tried again with back-off; it neither ends the run nor
        disturbs another device.
        """
