"""Writes and reads results: never changed, and versioned only when something differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, Final

from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from warehouse.indicators.catalogue import SQL
from warehouse.period import Period
from warehouse.postgres import Connection, statement


class Counted(StrEnum):
    """Where a member stands in a result."""

    NUMERATOR = "numerator"
    """In the numerator and, where there is one, in the denominator."""
    DENOMINATOR = "denominator"
    """In the denominator only."""
    APART = "apart"
    """In a figure beside."""
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One member of a result, and why it stands where it stands."""

    member: str
    counted: Counted
    reason: str
    since: date | None
    amount: Decimal | None
    weight: Decimal | None
    detail: dict[str, Any]
    source: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Content:
    """What two versions of a result differ by."""

    value: Decimal | None
    unit: str
    numerator: Decimal | None
    denominator: Decimal | None
    coverage: Decimal | None
    progress: Decimal | None
    expected_progress: Decimal | None
    status: str
    status_reason: str | None
    status_reason_zh: str | None
    light: int | None
    label: str
    detail: dict[str, Any]
    rule: str
    rule_digest: str
    sql_digest: str
    target_version: int | None
    factor_set: str | None
    factor_set_version: int | None
    vintage: str | None
    evidence_digest: str | None
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A result that was computed and may become a version."""

    indicator: str
    scope: str
    period: Period
    as_of: datetime
    rule_text: str
    catalogue_digest: str
    content: Content


@dataclass(frozen=True, slots=True)
class Stored:
    """The version that holds a draft's content; ``changed`` names what it differs by from the one before it."""

    result_id: int
    version: int
    added: bool
    changed: tuple[str, ...]


_EXACT: Final = Context(prec=100)
_EVIDENCE: Final = tuple(field.name for field in fields(Evidence))


def put_evidence(conn: Connection, members: Sequence[Evidence]) -> str:
    """Store the members, once for all results that rest on the same; return the digest of the set."""
    ordered = sorted(members, key=lambda member: member.member)
    # By name and not by asdict(), which copies every detail: half of the time of 10 000 members.
    digest = _digest([{name: _plain(getattr(member, name)) for name in _EVIDENCE} for member in ordered])
    added = conn.execute(
        statement(SQL, "evidence_set_add.sql"), {"evidence_digest": digest, "members": len(ordered)}
    ).fetchone()
    if added is not None:
        with conn.cursor() as cursor, cursor.copy(statement(SQL, "evidence_copy.sql")) as copy:
            for one in ordered:
                place = (digest, one.member, one.counted.value, one.reason, one.since)
                copy.write_row((*place, one.amount, one.weight, Jsonb(one.detail), one.source, one.legal_basis))
    return digest


def put_result(conn: Connection, draft: Draft) -> Stored:
    """Add a version unless the one known at ``draft.as_of`` says the same; within the caller's transaction.

    Takes away the mark that its inputs had changed. One writer at a time: the caller holds :data:`.due.RUN_LOCK`.
    """
    key = {
        "indicator": draft.indicator,
        "scope": draft.scope,
        "period_type": draft.period.type.value,
        "period": draft.period.text,
        "as_of": draft.as_of,
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        known = cursor.execute(statement(SQL, "result_known.sql"), key).fetchone()
    conn.execute(statement(SQL, "due_done.sql"), key)
    content = asdict(draft.content)
    names = [field.name for field in fields(Content)]
    changed: tuple[str, ...] = ()
    if known is not None:
        changed = tuple(name for name in names if _plain(known[name]) != _plain(content[name]))
        if not changed:
            return Stored(known["result_id"], known["version"], added=False, changed=tuple(known["changed"]))
    row = conn.execute(
        statement(SQL, "result_add.sql"),
        key
        | content
        | {
            "detail": Jsonb(draft.content.detail),
            "period_start": draft.period.start,
            "period_end": draft.period.end,
            "rule_text": draft.rule_text,
            "catalogue_digest": draft.catalogue_digest,
            "content_digest": _digest(_plain(content)),
            "changed": list(changed),
        },
    ).fetchone()
    if row is None:
        raise LookupError("INSERT … RETURNING gave no row")
    return Stored(row[0], row[1], added=True, changed=changed)


def results(
    conn: Connection, *, indicator: str | None = None, period: str | None = None, as_of: datetime | None = None
) -> list[DictRow]:
    """Return the current versions, or those that were current at ``as_of``, newest period first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement(SQL, "results.sql"), {"indicator": indicator, "period": period, "as_of": as_of})
        return cursor.fetchall()


def evidence(conn: Connection, evidence_digest: str, counted: str | None = None) -> list[DictRow]:
    """Return the members of a set, of one standing or of all."""
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement(SQL, "evidence.sql"), {"evidence_digest": evidence_digest, "counted": counted})
        return cursor.fetchall()


def _plain(value: Any) -> Any:
    """Return ``value`` in a form in which equal things are equal: 12.0 and 12.00 are one number."""
    if isinstance(value, Decimal):
        return f"{value.normalize(_EXACT):f}" if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in sorted(value.items())}
    return value


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
