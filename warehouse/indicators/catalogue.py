"""Writes the catalogue into the warehouse, as far as results refer to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from psycopg.types.json import Jsonb

from edge_agent.contract.errors import Misconfigured
from warehouse.postgres import Connection, statement

SQL: Final = "warehouse.indicators"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan whose targets are followed."""

    plan: str
    name_zh: str
    name_en: str
    base_date: date
    end_date: date
    document: str
    documents: list[dict[str, object]]
    """Everything that makes the plan, with what is known of each."""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One version of an indicator's target."""

    version: int
    due: date
    value: Decimal | None
    value_high: Decimal | None
    wording: str | None
    base: Decimal | None
    document: str


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One indicator; ``entry`` is all of it, ``digest`` that of ``entry``."""

    indicator: str
    plan: str | None
    section: str
    name_zh: str
    name_en: str
    unit: str
    kind: str
    nature: str | None
    entry: dict[str, object]
    digest: str
    targets: tuple[TargetRow, ...]


def put_catalogue(conn: Connection, plans: list[PlanRow], rows: list[CatalogueRow]) -> None:
    """Write plans, indicators and targets; what is there already as it is stays untouched.

    ``Misconfigured`` when a version of a target differs from what was stored: results refer to it.
    """
    for plan in plans:
        conn.execute(statement(SQL, "plan_put.sql"), asdict(plan) | {"documents": Jsonb(plan.documents)})
    for row in rows:
        conn.execute(statement(SQL, "catalogue_put.sql"), asdict(row) | {"entry": Jsonb(row.entry)})
        for target in row.targets:
            values = asdict(target) | {"indicator": row.indicator}
            conn.execute(statement(SQL, "target_add.sql"), values)
            if conn.execute(statement(SQL, "target_same.sql"), values).fetchone() != (True,):
                raise Misconfigured(
                    f"{row.indicator}: version {target.version} of the target was stored with other values; "
                    "a revised target is a new version (目标值修订须使用新版本号)"
                )
