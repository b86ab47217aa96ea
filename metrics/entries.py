"""The catalogue: plans, indicators and rule sets are files, and these are their models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from edge_agent.contract.birth import digest_of
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings, load
from edge_agent.contract.wire import canonical
from metrics.standing import Thresholds
from warehouse.indicators.results import Counted
from warehouse.period import PeriodType

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.sql$")]
M = TypeVar("M", bound=Settings)


class Kind(StrEnum):
    """How progress is measured."""

    CUMULATIVE = "cumulative"
    STOCK = "stock"
    COUNT = "count"
    RATIO = "ratio"
    LEVEL = "level"
    PANEL = "panel"
    """None: a figure that says nothing beyond its members."""


class Nature(StrEnum):
    """属性 of a target."""

    BINDING = "binding"
    """约束性."""
    EXPECTED = "expected"
    """预期性."""


class Formula(StrEnum):
    """How a value comes from members."""

    COUNT = "count"
    """How many are in the numerator."""
    PERCENT = "percent"
    """100 × those in the numerator / those in the denominator."""
    QUOTIENT = "quotient"
    """Sum of amounts / sum of weights, over the numerator."""


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
    document: str
    """The document that sets it."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None and self.wording is None:
            raise ValueError("a target needs a value or a wording")
        return self


class Input(Settings):
    """Something without which an indicator has no value, and who has it."""

    sql: FileName
    """File in `metrics/inputs` that gives one row for each thing that is missing."""
    what_en: str
    """What is missing, followed by what the SQL gives."""
    what_zh: str
    """The same in Chinese."""
    from_en: str
    """Who supplies it."""
    from_zh: str
    """The same in Chinese."""


class Selection(Settings):
    """Some of the members: counted, or one of their figures summed up."""

    counted: tuple[Counted, ...] = (Counted.NUMERATOR, Counted.DENOMINATOR)
    """Where they stand."""
    where: dict[str, bool | int | str] = Field(default_factory=dict)
    """What their details must say."""
    sum: str | None = None
    """Detail that is summed up; without it members are counted."""


class Beside(Settings):
    """A figure beside the headline."""

    id: Name
    """Name of ours."""
    name_zh: str
    """Chinese name."""
    name_en: str
    """English name."""
    formula: Formula
    """count or percent."""
    numerator: Selection
    """Who is counted."""
    denominator: Selection = Selection()
    """Of whom, for a percentage."""


class Coverage(Settings):
    """Share of what was expected that was there."""

    numerator: Selection
    """What was there."""
    denominator: Selection = Selection()
    """What was expected."""


class Entry(Settings):
    """One indicator."""

    indicator: Name
    """Identifier."""
    plan: str | None = None
    """The plan it belongs to; without it a figure of our own."""
    number: int | None = None
    """Its number in the plan's table."""
    section: str
    """Where it stands in the plan."""
    name_zh: str
    """Chinese name."""
    name_en: str
    """English name."""
    unit: str
    """Unit of the value."""
    unit_zh: str
    """The same in Chinese."""
    decimals: Annotated[int, Field(ge=0, le=9)]
    """Decimal places at display; results are exact."""
    kind: Kind
    """How progress is measured."""
    nature: Nature | None = None
    """属性 of the target."""
    population: str
    """Who could be counted."""
    numerator: str
    """What is counted, in words."""
    denominator: str | None = None
    """Of what, in words."""
    registers: tuple[str, ...]
    """Tables it rests on."""
    periods: Annotated[tuple[PeriodType, ...], Field(min_length=1)]
    """Periods it is computed for."""
    frequency: str
    """How often it is due."""
    owner: str
    """责任单位."""
    rules: Name
    """Rule set, a file in `metrics/rules`."""
    sql: FileName
    """File in `metrics/indicators` that gives the members."""
    formula: Formula
    """How the value comes from them."""
    label: Annotated[str, StringConstraints(pattern=r"^(departmental_estimate|panel)$")] = "departmental_estimate"
    """How the result is to be labelled."""
    reads_accounts: bool = False
    """Energy accounts are kept as they are now: what was known on a past day is what was stored then."""
    targets: tuple[Target, ...] = ()
    """Versions of the target."""
    inputs: tuple[Input, ...] = ()
    """Without which there is no value."""
    coverage: Coverage | None = None
    """Share of what was expected that was there."""
    beside: tuple[Beside, ...] = ()
    """Figures beside the headline."""
    groups: tuple[str, ...] = ()
    """`reason` or details by whose values members are counted."""

    @property
    def target(self) -> Target | None:
        """The latest version of the target."""
        return max(self.targets, key=lambda target: target.version, default=None)

    def digest(self) -> str:
        """Return the digest of the whole entry."""
        return digest_of(canonical(self.model_dump(mode="json")))


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
    parameters: dict[str, bool | int | Decimal | str | list[str]]
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


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is followed."""

    plans: dict[str, Plan]
    entries: dict[str, Entry]
    rules: dict[str, Rules]


FOLDER: Final = Path(str(resources.files("metrics")))


def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Read `plans`, `catalogue` and `rules` below ``folder``; ``Misconfigured`` says which file is wrong and how."""
    plans = {plan.plan: plan for plan in _files(Plan, folder / "plans")}
    entries = {entry.indicator: entry for entry in _files(Entry, folder / "catalogue")}
    rules = {
        rules.name: Rules(rules, (folder / "rules" / f"{rules.name}.toml").read_text("utf-8"))
        for rules in _files(RuleSet, folder / "rules")
    }
    for entry in entries.values():
        if entry.plan is not None and entry.plan not in plans:
            raise Misconfigured(f"{entry.indicator}: no plan {entry.plan}; known: {', '.join(plans)}")
        if entry.rules not in rules:
            raise Misconfigured(f"{entry.indicator}: no rule set {entry.rules}; known: {', '.join(rules)}")
    return Catalogue(plans, entries, rules)


def sql_text(folder: str, file: str) -> str:
    """Return the SQL of an indicator (`indicators`) or input (`inputs`)."""
    return resources.files("metrics").joinpath(folder, file).read_text("utf-8")


def _files(model: type[M], folder: Path) -> list[M]:
    return [load(model, [path]) for path in sorted(folder.glob("*.toml"))]
