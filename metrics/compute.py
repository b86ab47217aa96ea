"""One indicator for one period, as known at one time: from the database to a draft of its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, Final

from psycopg.rows import dict_row

from edge_agent.contract.birth import digest_of
from metrics import figures
from metrics.entries import Entry, Kind, Nature, Plan, Rules, Target, sql_text
from metrics.progress import PRECISION, Progress, cumulative, ratio, stock
from metrics.standing import Status, light, standing
from warehouse.indicators.results import Content, Counted, Draft, Evidence, put_evidence
from warehouse.period import Period
from warehouse.postgres import Connection
from warehouse.times import SHANGHAI, midnight

_STRICTNESS: Final = ("published", "administrative", "consented", "statistical")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: one indicator for one period and area, with what was recorded by ``as_of``."""

    entry: Entry
    plan: Plan | None
    rules: Rules
    period: Period
    region: str
    as_of: datetime

    def parameters(self) -> dict[str, Any]:
        """Return what the SQL is given: the question, and the rule set's parameters by their names."""
        return {
            **self.rules.set.parameters,
            "as_of": self.as_of,
            "region": self.region,
            "period": self.period.text,
            "period_start": self.period.start,
            "period_end": self.period.end,
            "period_last": self.period.last_day,
            "from_t": midnight(self.period.start),
            "to_t": midnight(self.period.end),
            "plan_start": date.fromordinal(self.plan.base_date.toordinal() + 1) if self.plan else None,
            "plan_end": self.plan.end_date if self.plan else None,
        }


@dataclass(frozen=True, slots=True)
class _Reason:
    en: str
    zh: str


def compute(conn: Connection, question: Question) -> Draft:
    """Compute the result and store its evidence; within the caller's transaction.

    A missing input gives ``insufficient_data`` without a value, and a reason that says what is missing and who has it.
    """
    missing = _missing(conn, question)
    if missing is not None:
        return _draft(question, _without_value(question, missing, None))
    members = _members(conn, question)
    found = figures.headline(members, question.entry.formula)
    lacking = _too_little(question, members, found)
    evidence = put_evidence(conn, members)
    if found.value is None or lacking is not None:
        why = lacking or _Reason("the denominator is not positive", "分母不为正")
        return _draft(question, _without_value(question, why, evidence, figures.beside(members, question.entry)))
    return _draft(question, _with_value(question, members, found, found.value, evidence))


def _missing(conn: Connection, question: Question) -> _Reason | None:
    """Say what is missing of the inputs, and from whom."""
    en, zh = [], []
    for needed in question.entry.inputs:
        rows = conn.execute(_sql("inputs", needed.sql), question.parameters()).fetchall()
        if rows:
            items = ", ".join(str(item) for (item,) in rows)
            en.append(f"missing: {needed.what_en} {items}".rstrip() + f"; from {needed.from_en}")
            zh.append(f"缺少：{needed.what_zh} {items}".rstrip() + f"；提供方：{needed.from_zh}")
    return _Reason(". ".join(en), "。".join(zh)) if en else None


def _members(conn: Connection, question: Question) -> list[Evidence]:
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_sql("indicators", question.entry.sql), question.parameters())
        return [Evidence(**row | {"counted": Counted(row["counted"])}) for row in cursor]


def _too_little(question: Question, members: list[Evidence], found: figures.Headline) -> _Reason | None:
    """Say why members are too few for a figure; which kinds of figure that concerns is a parameter of the rule set."""
    fewest = question.rules.set.parameters.get("min_members")
    inside = sum(member.counted is Counted.NUMERATOR for member in members)
    if not isinstance(fewest, int) or inside >= fewest:
        return None
    reasons = figures.beside(members, question.entry)["groups"].get("reason", {})
    told = ", ".join(f"{reason} {count}" for reason, count in reasons.items() if reason != "qualified")
    return _Reason(
        f"{inside} members, the rule needs {fewest}; left out: {told or 'none'}",
        f"样本仅 {inside} 家，规则要求至少 {fewest} 家；未计入：{told or '无'}",
    )


def _with_value(
    question: Question, members: list[Evidence], found: figures.Headline, value: Decimal, evidence: str
) -> Content:
    entry, target = question.entry, question.entry.target
    made = None if target is None or target.value is None else _progress(question, target, target.value, value)
    thresholds = question.rules.set.thresholds
    detail = figures.beside(members, entry)
    if made is None:
        status = Status.NO_TARGET if question.plan is None else Status.TARGET_MISSING
        lamp = None
    else:
        status = standing(made, thresholds, ended=_ended(question, target), never_falls=entry.kind is Kind.CUMULATIVE)
        lamp = light(made, thresholds) if entry.nature is Nature.BINDING else None
        detail["target"] = str(made.target)
        detail["gap"] = str(PRECISION.subtract(made.target, value))
        detail["expected"] = None if made.expected is None else str(made.expected)
        detail["thresholds"] = thresholds.model_dump(mode="json")
    inside = [member for member in members if member.counted in (Counted.NUMERATOR, Counted.DENOMINATOR)]
    vintages = sorted({str(member.detail["vintage"]) for member in inside if "vintage" in member.detail})
    return _content(
        question,
        value=value,
        numerator=found.numerator,
        denominator=found.denominator,
        coverage=figures.coverage(members, entry.coverage),
        progress=made.progress if made else None,
        expected_progress=made.expected_progress if made else None,
        status=status,
        reason=None,
        light=lamp,
        detail=detail,
        vintage=", ".join(vintages) or None,
        evidence=evidence,
        legal_basis=max((member.legal_basis for member in inside), key=_STRICTNESS.index, default="published"),
    )


def _without_value(
    question: Question, why: _Reason, evidence: str | None, detail: dict[str, Any] | None = None
) -> Content:
    return _content(
        question,
        value=None,
        numerator=None,
        denominator=None,
        coverage=None,
        progress=None,
        expected_progress=None,
        status=Status.INSUFFICIENT_DATA,
        reason=why,
        light=None,
        detail=detail or {},
        vintage=None,
        evidence=evidence,
        legal_basis="administrative",
    )


def _content(
    question: Question,
    *,
    value: Decimal | None,
    numerator: Decimal | None,
    denominator: Decimal | None,
    coverage: Decimal | None,
    progress: Decimal | None,
    expected_progress: Decimal | None,
    status: Status,
    reason: _Reason | None,
    light: int | None,
    detail: dict[str, Any],
    vintage: str | None,
    evidence: str | None,
    legal_basis: str,
) -> Content:
    entry, parameters = question.entry, question.rules.set.parameters
    version = parameters.get("factor_set_version")
    return Content(
        value=value,
        unit=entry.unit,
        numerator=numerator,
        denominator=denominator,
        coverage=coverage,
        progress=progress,
        expected_progress=expected_progress,
        status=status.value,
        status_reason=reason.en if reason else None,
        status_reason_zh=reason.zh if reason else None,
        light=light,
        label=entry.label,
        detail=detail,
        rule=question.rules.label,
        rule_digest=question.rules.digest,
        sql_digest=digest_of(sql_text("indicators", entry.sql).encode()),
        target_version=entry.target.version if entry.target else None,
        factor_set=str(parameters["factor_set"]) if "factor_set" in parameters else None,
        factor_set_version=version if isinstance(version, int) else None,
        vintage=vintage,
        evidence_digest=evidence,
        legal_basis=legal_basis,
    )


def _draft(question: Question, content: Content) -> Draft:
    return Draft(
        indicator=question.entry.indicator,
        scope=question.region,
        period=question.period,
        as_of=question.as_of,
        rule_text=question.rules.text,
        catalogue_digest=question.entry.digest(),
        content=content,
    )


def _progress(question: Question, target: Target, goal: Decimal, value: Decimal) -> Progress | None:
    plan = question.plan
    if plan is None:
        return None
    years = target.due.year - plan.base_date.year
    elapsed = Fraction(_months(plan.base_date, question.period.end), 12)
    match question.entry.kind:
        case Kind.CUMULATIVE | Kind.COUNT:
            return cumulative(goal, value, elapsed, years)
        case Kind.STOCK:
            return stock(target.base, goal, value, elapsed, years)
        case Kind.RATIO | Kind.LEVEL:
            return ratio(target.base, goal, value, floor(elapsed), years)
        case Kind.PANEL:
            return None


def _months(base_date: date, period_end: date) -> int:
    """Return the full months from the day after ``base_date`` until ``period_end``."""
    start = date.fromordinal(base_date.toordinal() + 1)
    months = 12 * (period_end.year - start.year) + period_end.month - start.month
    return max(0, months - (period_end.day < start.day))


def _ended(question: Question, target: Target | None) -> bool:
    """True when the period reaches the target's day, and that day has passed."""
    if target is None:
        return False
    today = question.as_of.astimezone(SHANGHAI).date()
    return question.period.last_day >= target.due and today > target.due


def _sql(folder: str, file: str) -> bytes:
    return sql_text(folder, file).encode()
