"""Plans and targets as data: models of `metrics/plans` and of the targets in `metrics/catalogue`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from edge_agent.contract.settings import Settings

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Document(Settings):
    """A document that makes a plan, or sets a target."""

    number: str | None = None
    """文号, where it is known."""
    title_zh: str
    """Title."""
    issued: str
    """When it was issued, as far as known: 2021, 2026-01."""
    seen: bool
    """False: its text was not at hand, so that nothing is taken from it."""
    note_zh: str = ""
    """What it is to the plan, in Chinese."""
    note_en: str = ""
    """The same in English."""


class Target(Settings):
    """One version of a target."""

    version: Annotated[int, Field(ge=1)]
    """Counted from 1; a revised target of the same population is a new version."""
    due: date
    """Day it is due."""
    value: Decimal | None = None
    """The target; without it the plan gives words only."""
    value_high: Decimal | None = None
    """Upper end of a range."""
    wording: str | None = None
    """The plan's words, where it gives no number."""
    base: Decimal | None = None
    """Value at the base date; without it progress before the end is withheld."""
    base_note_zh: str = ""
    """Why the base is not quite on the scope of the target, in Chinese; shown wherever it is used."""
    base_note_en: str = ""
    """The same in English."""
    document: str
    """The document that sets it."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None and self.wording is None:
            raise ValueError("a target needs a value or a wording")
        if self.value is not None and self.value <= 0:
            raise ValueError("a target is above 0")
        return self


class Scenario(Settings):
    """A number of another document, to see what it would mean; never the target."""

    id: Name
    """Name of ours."""
    name_zh: str
    """How it is labelled, in Chinese."""
    name_en: str
    """The same in English."""
    value: Annotated[Decimal, Field(gt=0, lt=100)]
    """The decline it supposes, percent."""
    source: str
    """Where the number stands."""


class Carried(Settings):
    """An indicator of another plan that this plan follows too, as it is defined there."""

    indicator: Name
    """The indicator it continues; here it is called so with the plan's suffix."""
    targets: tuple[Target, ...] = ()
    """What this plan wants of it; none: not published, or not seen."""


class Plan(Settings):
    """A plan whose targets are followed."""

    plan: str
    """Name of ours."""
    name_zh: str
    """Chinese name."""
    name_en: str
    """English name."""
    base_date: date
    """Last day before the plan."""
    end_date: date
    """Last day of the plan."""
    document: str
    """Number of the document."""
    documents: tuple[Document, ...] = ()
    """The documents that make it."""
    suffix: Annotated[str, StringConstraints(pattern=r"^([0-9]{4})?$")] = ""
    """What carried indicators have at the end of their names."""
    carries: tuple[Carried, ...] = ()
    """Indicators of other plans that it follows too."""

    @property
    def years(self) -> int:
        """Its length."""
        return self.end_date.year - self.base_date.year
