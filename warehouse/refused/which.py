"""Which refusals are meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """What was refused."""

    MESSAGE = "message"
    READING = "reading"


@dataclass(frozen=True, slots=True)
class Which:
    """A choice of refusals; without any limits all that still wait."""

    gateway: str | None = None
    reason: str | None = None
    """As it counts now: that of the last judgement."""
    since: datetime | None = None
    """Refused from this moment on."""
    what: What | None = None
    settled: bool = False
    """Also those that were stored after all."""

    def parameters(self) -> dict[str, Any]:
        """Return it for the statements of this room."""
        return {
            "gateway": self.gateway,
            "reason": self.reason,
            "since": self.since,
            "what": None if self.what is None else str(self.what),
            "settled": self.settled,
        }
