"""A value against its target: which progress is meant, from which base, and what has to be said beside. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from metrics import progress
from metrics.entries import Kind, Nature
from metrics.progress import HUNDRED, PRECISION, Progress
from metrics.question import Question
from metrics.standing import Status, light, standing, standing_in_band
from metrics.targets import Plan, Target
from warehouse.indicators.results import Counted, Evidence


@dataclass(frozen=True, slots=True)
class Base:
    """Value at the base date, and where it is from."""

    value: Decimal
    origin: str
    """registers, or document."""
    note_zh: str = ""
    note_en: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, for people."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a value stands against its target, with everything that is said beside."""

    status: Status
    reason: Reason | None
    made: Progress | None
    light: int | None
    detail: dict[str, Any]


def place(question: Question, value: Decimal, members: Sequence[Evidence], base: Base | None) -> Standing:
    """Say where ``value`` stands; what cannot be said is withheld with the reason."""
    entry, target = question.entry, question.entry.target
    detail = _chain(question, members) | _scenarios(question, members)
    if base is not None:
        detail["base"] = {
            "value": str(base.value),
            "origin": base.origin,
            "note_zh": base.note_zh,
            "note_en": base.note_en,
        }
    goal = None if target is None else _goal(question, target)
    if target is None or question.plan is None or entry.kind is Kind.PANEL:
        return Standing(*_nothing_to_stand_against(question), None, None, detail)
    if goal is None and entry.kind is not Kind.BAND:
        return Standing(Status.TARGET_MISSING, _only_words(target), None, None, detail)
    if entry.annual and not question.whole_year:
        detail["target"] = None if goal is None else str(goal)
        return Standing(Status.WITHHELD, _part_of_a_year(), None, None, detail)
    made = _progress(question, question.plan, target, goal, value, members, base)
    if made is None:
        return Standing(Status.BASELINE_MISSING, _no_base(), None, None, detail)
    thresholds, ended = question.rules.set.thresholds, question.ended(target)
    if entry.kind is Kind.BAND:
        status = standing_in_band(made, ended=ended)
    else:
        never_falls = entry.kind in (Kind.CUMULATIVE, Kind.COUNT, Kind.MILESTONE)
        status = standing(made, thresholds, ended=ended, never_falls=never_falls)
    lamp = light(made, thresholds) if entry.nature is Nature.BINDING else None
    detail |= told(made) | {"thresholds": thresholds.model_dump(mode="json"), "provisional": _provisional(members)}
    return Standing(status, _no_base() if status is Status.BASELINE_MISSING else None, made, lamp, detail)


def told(made: Progress) -> dict[str, Any]:
    """Return what a result says of its progress; numbers as decimal text."""
    return {
        "target": str(made.target),
        "gap": str(PRECISION.subtract(made.target, made.actual)),
        "expected": _text(made.expected),
        "still_needed": _text(made.still_needed),
        "still_needed_a_year": _text(made.still_needed_a_year),
        "stretch": made.stretch,
    }


def changes(members: Sequence[Evidence]) -> list[Decimal]:
    """Return the yearly changes that are chained, as fractions, oldest first."""
    return [PRECISION.divide(member.amount, HUNDRED) for member in _chained(members) if member.amount is not None]


def _progress(
    question: Question,
    plan: Plan,
    target: Target,
    goal: Decimal | None,
    value: Decimal,
    members: Sequence[Evidence],
    base: Base | None,
) -> Progress | None:
    years = target.due.year - plan.base_date.year
    elapsed = Fraction(_months(plan.base_date, question.period.end), 12)
    start = None if base is None else base.value
    kind = question.entry.kind
    if kind is Kind.BAND:
        tolerance, warn = question.rules.number("band_tolerance"), question.rules.number("band_warn")
        if start is None or tolerance is None or warn is None:
            return None
        return progress.band(start, value, tolerance, warn)
    if goal is None:
        return None
    match kind:
        case Kind.CUMULATIVE | Kind.COUNT:
            return progress.cumulative(goal, value, elapsed, years)
        case Kind.STOCK:
            return progress.stock(start, goal, value, elapsed, years)
        case Kind.RATIO | Kind.LEVEL:
            return progress.ratio(start, goal, value, floor(elapsed), years)
        case Kind.RANGE:
            return progress.of_range(goal, value, elapsed, years, high=target.value_high, base=start)
        case Kind.GROWTH:
            return progress.in_percent(progress.growth(goal / HUNDRED, changes(members), years))
        case Kind.DECLINE:
            return progress.in_percent(progress.decline(goal / HUNDRED, changes(members), years))
        case Kind.MILESTONE:
            return progress.milestone(goal, value)
        case Kind.RANK:
            return progress.rank(goal, value)
    return None


def _goal(question: Question, target: Target) -> Decimal | None:
    """Return the target; where the plan gives words, what the rule set takes them to mean."""
    return target.value if target.value is not None else question.rules.number("wording_means")


def _chain(question: Question, members: Sequence[Evidence]) -> dict[str, Any]:
    """Return the yearly changes that were chained, oldest first, and what each was made of."""
    if question.entry.kind not in (Kind.GROWTH, Kind.DECLINE):
        return {}
    return {
        "chain": [
            {
                "year": member.detail.get("year"),
                "change": _text(member.amount),
                "method": member.detail.get("method"),
                "price_basis": member.detail.get("price_basis"),
                "provisional": member.detail.get("provisional"),
            }
            for member in _chained(members)
        ]
    }


def _chained(members: Sequence[Evidence]) -> list[Evidence]:
    chained = [member for member in members if member.counted is Counted.NUMERATOR and member.amount is not None]
    return sorted(chained, key=lambda member: str(member.detail.get("year", member.member)))


def _scenarios(question: Question, members: Sequence[Evidence]) -> dict[str, Any]:
    if not question.entry.scenarios or question.plan is None:
        return {}
    made = [
        (scenario, progress.decline(scenario.value / HUNDRED, changes(members), question.plan.years))
        for scenario in question.entry.scenarios
    ]
    return {
        "scenarios": [
            {
                "id": scenario.id,
                "name_zh": scenario.name_zh,
                "name_en": scenario.name_en,
                "source": scenario.source,
                "progress": _text(found.progress),
                "ratio": _text(found.ratio),
                **told(progress.in_percent(found)),
            }
            for scenario, found in made
        ]
    }


def _nothing_to_stand_against(question: Question) -> tuple[Status, Reason | None]:
    if question.plan is None or question.entry.nature is None:
        return Status.NO_TARGET, None
    return Status.TARGET_MISSING, Reason(
        f"no target of {question.plan.name_en} has been published, or was seen",
        f"{question.plan.name_zh}的目标值尚未公布或未见文本",
    )


def _only_words(target: Target) -> Reason:
    return Reason(
        f"the plan says “{target.wording}” and no number; progress and status are withheld",
        f"规划仅表述为“{target.wording}”，未见具体数值，不计算进度与状态",
    )


def _part_of_a_year() -> Reason:
    return Reason(
        "part of a year is not set against a target for the year; progress and status are withheld",
        "未满整年的累计数不与全年目标比较，不计算进度与状态",
    )


def _no_base() -> Reason:
    return Reason(
        "the base is not known; progress and status are withheld until the end",
        "缺基期值，期末前不计算进度与状态",
    )


def _provisional(members: Sequence[Evidence]) -> bool:
    return any(member.counted is Counted.NUMERATOR and member.detail.get("provisional") is True for member in members)


def _months(base_date: date, period_end: date) -> int:
    """Return the full months from the day after ``base_date`` until ``period_end``."""
    start = date.fromordinal(base_date.toordinal() + 1)
    months = 12 * (period_end.year - start.year) + period_end.month - start.month
    return max(0, months - (period_end.day < start.day))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
