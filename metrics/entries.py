"""The catalogue: plans, indicators and rule sets are files, and these are their models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, StringConstraints

from edge_agent.contract.birth import digest_of
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings, load
from edge_agent.contract.wire import canonical
from metrics.rulesets import Parameter, Rules, RuleSet
from metrics.targets import Name, Plan, Scenario, Target
from warehouse.indicators.results import Counted
from warehouse.period import PeriodType

FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.sql$")]
M = TypeVar("M", bound=Settings)


class Kind(StrEnum):
    """How progress is measured."""

    CUMULATIVE = "cumulative"
    STOCK = "stock"
    COUNT = "count"
    RATIO = "ratio"
    LEVEL = "level"
    GROWTH = "growth"
    DECLINE = "decline"
    RANGE = "range"
    """A target from … to …: the lower end is the target."""
    BAND = "band"
    """Is to stay about the same."""
    MILESTONE = "milestone"
    """Yes or no."""
    RANK = "rank"
    """1 is the highest."""
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
    SHARE = "share"
    """100 × sum of amounts / sum of weights, over the numerator."""
    SUM = "sum"
    """Sum of amounts, over the numerator."""
    GROWTH = "growth"
    """Mean yearly change, percent: the amounts are yearly changes in percent, and are chained."""
    DECLINE = "decline"
    """Decline over all years, percent: the amounts are yearly changes in percent, and are chained."""
    PANEL_CHANGE = "panel_change"
    """Change of a panel's energy per output against a year before, percent."""


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
    refused: bool = False
    """What the SQL gives is there and must not be used, rather than missing."""


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
    """How it comes from the members selected; all but percent need a numerator only."""
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
    region: str | None = None
    """Area it is of, where that is not the district."""
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
    definition_zh: str
    """What is counted, of whom, by which rule, in Chinese."""
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
    due_after_days: Annotated[int, Field(ge=0)]
    """Days after the period by which its inputs are due."""
    owner: str
    """责任单位."""
    owner_presumed: bool = True
    """The plan names no 责任单位: whose it is was presumed, and is to be confirmed."""
    rules: Name
    """Rule set, a file in `metrics/rules`."""
    sql: FileName
    """File in `metrics/indicators` that gives the members."""
    reported_sql: FileName | None = None
    """Of a panel: file that gives what its members reported; with it the members of ``sql`` are compared with those of
    the same month a year before."""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    """What the SQL is given besides the rule set's: which kind, level, variable."""
    formula: Formula
    """How the value comes from them."""
    annual: bool = False
    """Counted from January on: only a whole year is set against the target."""
    base_from_registers: bool = False
    """The base is what the same SQL gives for the plan's base year, where its inputs are known."""
    note_zh: str = ""
    """What must be said wherever it is shown, in Chinese."""
    note_en: str = ""
    """The same in English."""
    label: Literal["departmental_estimate", "published", "panel"] = "departmental_estimate"
    """How the result is to be labelled."""
    reads_accounts: bool = False
    """Energy accounts are kept as they are now: what was known on a past day is what was stored then."""
    targets: tuple[Target, ...] = ()
    """Versions of the target."""
    scenarios: tuple[Scenario, ...] = ()
    """What other documents' numbers would mean, where the target itself is not known; never the target."""
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
    carried = {made.indicator: made for plan in plans.values() for made in _carried(plan, entries)}
    return Catalogue(plans, entries | carried, rules)


def sql_text(folder: str, file: str) -> str:
    """Return the SQL of an indicator (`indicators`) or input (`inputs`)."""
    return resources.files("metrics").joinpath(folder, file).read_text("utf-8")


def _carried(plan: Plan, entries: dict[str, Entry]) -> Iterator[Entry]:
    """Give the indicators that ``plan`` follows as another plan defined them; its own targets, and no old base."""
    for carried in plan.carries:
        if carried.indicator not in entries:
            raise Misconfigured(f"{plan.plan} carries {carried.indicator}, which no file of the catalogue defines")
        old = entries[carried.indicator]
        years = f"{plan.base_date.year + 1}–{plan.end_date.year}"
        yield old.model_copy(
            update={
                "indicator": f"{old.indicator}_{plan.suffix}",
                "plan": plan.plan,
                "number": None,
                "section": plan.document,
                "name_zh": f"{old.name_zh}（{years}）",
                "name_en": f"{old.name_en} ({years})",
                "targets": carried.targets,
                "scenarios": (),
                "parameters": {name: value for name, value in old.parameters.items() if name != "goal"},
            }
        )


def _files(model: type[M], folder: Path) -> list[M]:
    return [load(model, [path]) for path in sorted(folder.glob("*.toml"))]
