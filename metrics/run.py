"""The job that computes indicators and keeps their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import psycopg

from edge_agent.contract.errors import Misconfigured
from metrics.compute import compute
from metrics.entries import Catalogue, Entry
from metrics.question import Question
from metrics.targets import Plan, Target
from warehouse.indicators.catalogue import CatalogueRow, PlanRow, TargetRow, put_catalogue
from warehouse.indicators.due import RUN_LOCK
from warehouse.indicators.results import Draft, Stored, put_result
from warehouse.period import Period, PeriodType, parse_period
from warehouse.postgres import Connection, alone
from warehouse.times import SHANGHAI

DISTRICT: Final = "310117"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one indicator; ``skipped`` says why it was not computed."""

    indicator: str
    period: str | None
    draft: Draft | None = None
    stored: Stored | None = None
    skipped: str | None = None


def run(
    conn: Connection,
    catalogue: Catalogue,
    *,
    indicators: Sequence[str] = (),
    period: str | None = None,
    as_of: datetime | None = None,
) -> list[Outcome]:
    """Compute ``indicators`` (all, when none is named) for ``period`` and add a version where something differs.

    Without ``period``, each for its last period that is over. With ``as_of``, from what was recorded by then. All see
    one state of the database, and all results are stored or none. ``Misconfigured`` for an unknown indicator, a period
    that one of those named is not computed for, or one that is not over.
    """
    chosen = [_entry(catalogue, name) for name in indicators] or list(catalogue.entries.values())
    asked = None if period is None else parse_period(period)
    with alone(conn, RUN_LOCK):
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        try:
            with conn.transaction():
                put_catalogue(conn, _plans(catalogue), _rows(catalogue))
                return [_one(conn, catalogue, entry, asked, as_of, named=bool(indicators)) for entry in chosen]
        finally:
            conn.isolation_level = None


def last_period(entry: Entry, plan: Plan | None, today: date) -> Period:
    """Return the last period of the entry's first kind that was over before ``today``; never beyond the plan."""
    last = min(today, date.fromordinal(plan.end_date.toordinal() + 1)) if plan else today
    if entry.periods[0] is PeriodType.YEAR:
        return parse_period(f"{last.year - 1}")
    return parse_period(f"{last.replace(day=1) - timedelta(days=1):%Y-%m}")


def _one(
    conn: Connection, catalogue: Catalogue, entry: Entry, asked: Period | None, as_of: datetime | None, *, named: bool
) -> Outcome:
    plan = catalogue.plans[entry.plan] if entry.plan else None
    known_at = as_of or _now(conn)
    today = known_at.astimezone(SHANGHAI).date()
    period = asked or last_period(entry, plan, today)
    why = None
    if period.type not in entry.periods:
        why = f"{period.text} is none of its periods: {', '.join(entry.periods)} (不适用的报告期)"
    elif period.end > today:
        why = f"{period.text} is not over (报告期未结束)"
    elif plan is not None and (period.last_day <= plan.base_date or (period.last_day > plan.end_date and not named)):
        why = f"{period.text} is outside its plan, {plan.name_en} (不在规划期内)"
    elif entry.reads_accounts and as_of is not None:
        why = "energy accounts are kept as they are now: for a past day see g60 metrics show --as-of (能源账不支持追溯)"
    if why is not None:
        if named:
            raise Misconfigured(f"{entry.indicator}: {why}")
        return Outcome(entry.indicator, period.text, skipped=why)
    draft = compute(
        conn, Question(entry, plan, catalogue.rules[entry.rules], period, entry.region or DISTRICT, known_at)
    )
    return Outcome(entry.indicator, period.text, draft, put_result(conn, draft))


def _now(conn: Connection) -> datetime:
    row = conn.execute("SELECT now()").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise LookupError("SELECT now() gave no time")
    return row[0]


def _entry(catalogue: Catalogue, name: str) -> Entry:
    if name not in catalogue.entries:
        raise Misconfigured(f"no indicator {name}; known: {', '.join(catalogue.entries)} (没有这个指标)")
    return catalogue.entries[name]


def _plans(catalogue: Catalogue) -> list[PlanRow]:
    return [
        PlanRow(
            plan.plan,
            plan.name_zh,
            plan.name_en,
            plan.base_date,
            plan.end_date,
            plan.document,
            [document.model_dump(mode="json") for document in plan.documents],
        )
        for plan in catalogue.plans.values()
    ]


def _rows(catalogue: Catalogue) -> list[CatalogueRow]:
    return [
        CatalogueRow(
            entry.indicator,
            entry.plan,
            entry.section,
            entry.name_zh,
            entry.name_en,
            entry.unit,
            entry.kind.value,
            entry.nature.value if entry.nature else None,
            entry.model_dump(mode="json"),
            entry.digest(),
            tuple(_target(target) for target in entry.targets),
        )
        for entry in catalogue.entries.values()
    ]


def _target(target: Target) -> TargetRow:
    return TargetRow(
        target.version, target.due, target.value, target.value_high, target.wording, target.base, target.document
    )
