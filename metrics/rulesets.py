"""Rule sets: the choices that no document makes, as files that every result carries with it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import Field

from edge_agent.contract.birth import digest_of
from edge_agent.contract.settings import Settings
from metrics.standing import Thresholds
from metrics.targets import Name

Parameter: TypeAlias = bool | int | Decimal | str | list[str]


class RuleSet(Settings):
    """Choices that no document makes, with their names; every result carries the text."""

    name: Name
    """Name of the set."""
    version: Annotated[int, Field(ge=1)]
    """Counted from 1."""
    note_zh: str
    """What it says, in Chinese."""
    note_en: str
    """What it says, in English."""
    parameters: dict[str, Parameter]
    """What the SQL is given, by name."""
    thresholds: Thresholds = Thresholds()
    """From when an indicator is on track."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule set and the very text of its file."""

    set: RuleSet
    text: str

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.set.name} v{self.set.version}"

    @property
    def digest(self) -> str:
        """Digest of the text."""
        return digest_of(self.text.encode())

    def number(self, name: str) -> Decimal | None:
        """Return a parameter that is a number; ``None`` without it."""
        value = self.set.parameters.get(name)
        return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
