"""One indicator for one period, as known at one time: from the database to a draft of its result."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from psycopg.rows import dict_row

from edge_agent.contract.birth import digest_of
from edge_agent.contract.wire import canonical
from metrics import figures
from metrics.against import Base, Reason, Standing, place
from metrics.entries import sql_text
from metrics.panel import Reported, compared
from metrics.progress import HUNDRED
from metrics.question import Question
from metrics.show import rounded
from metrics.standing import Status
from warehouse.indicators.results import Content, Counted, Draft, Evidence, put_evidence
from warehouse.period import parse_period
from warehouse.postgres import Connection

_STRICTNESS: Final = ("published", "administrative", "consented", "statistical")


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
        why = lacking or _no_figure(found)
        return _draft(question, _without_value(question, why, evidence, figures.beside(members, question.entry)))
    standing = place(question, found.value, members, _base(conn, question))
    return _draft(question, _with_value(question, members, found, found.value, evidence, standing))


def _missing(conn: Connection, question: Question) -> Reason | None:
    """Say what is missing of the inputs, and from whom."""
    en, zh = [], []
    for needed in question.entry.inputs:
        rows = conn.execute(_sql("inputs", needed.sql), question.parameters()).fetchall()
        if rows:
            items = ", ".join(str(item) for (item,) in rows)
            told_en, told_zh = ("refused", "不予采用") if needed.refused else ("missing", "缺少")
            en.append(f"{told_en}: {needed.what_en} {items}".rstrip() + f"; from {needed.from_en}")
            zh.append(f"{told_zh}：{needed.what_zh} {items}".rstrip() + f"；提供方：{needed.from_zh}")
    return Reason(". ".join(en), "。".join(zh)) if en else None


def _members(conn: Connection, question: Question) -> list[Evidence]:
    if question.entry.reported_sql is None:
        return _found(conn, question)
    before = replace(question, period=parse_period(f"{question.period.start.year - 1}{question.period.text[4:]}"))
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_sql("indicators", question.entry.reported_sql), question.parameters())
        reported = {row["subject"]: _reported(row) for row in cursor}
    return compared(_found(conn, question), _found(conn, before), reported)


def _reported(row: dict[str, Any]) -> Reported:
    carriers = None if row["carriers"] is None else frozenset(row["carriers"])
    return Reported(row["tce"], row["month_tce"], carriers, row["source"])


def _found(conn: Connection, question: Question) -> list[Evidence]:
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_sql("indicators", question.entry.sql), question.parameters())
        return [Evidence(**row | {"counted": Counted(row["counted"])}) for row in cursor]


def _too_little(question: Question, members: list[Evidence], found: figures.Headline) -> Reason | None:
    """Say why members are too few for a figure; which kinds of figure that concerns is a parameter of the rule set."""
    fewest = question.rules.set.parameters.get("min_members")
    inside = sum(member.counted is Counted.NUMERATOR for member in members)
    if not isinstance(fewest, int) or inside >= fewest:
        return None
    reasons = figures.beside(members, question.entry)["groups"].get("reason", {})
    told = ", ".join(f"{reason} {count}" for reason, count in reasons.items() if reason != "qualified")
    return Reason(
        f"{inside} members, the rule needs {fewest}; left out: {told or 'none'}",
        f"样本仅 {inside} 家，规则要求至少 {fewest} 家；未计入：{told or '无'}",
    )


def _no_figure(found: figures.Headline) -> Reason:
    if found.denominator is None:
        return Reason("no member has a figure that can be used", "没有可用的数据")
    return Reason("the denominator is not positive", "分母不为正")


def _base(conn: Connection, question: Question) -> Base | None:
    """Return the base: what the registers give for the plan's base year, else what the document gives."""
    target, plan = question.entry.target, question.plan
    if plan is None or target is None:
        return None
    if question.entry.base_from_registers:
        before = replace(question, period=parse_period(str(plan.base_date.year)))
        if _missing(conn, before) is None:
            value = figures.headline(_members(conn, before), question.entry.formula).value
            if value is not None:
                return Base(value, "registers")
    if target.base is None:
        return None
    return Base(target.base, "document", target.base_note_zh, target.base_note_en)


def _with_value(
    question: Question,
    members: list[Evidence],
    found: figures.Headline,
    value: Decimal,
    evidence: str,
    standing: Standing,
) -> Content:
    entry = question.entry
    inside = [member for member in members if member.counted in (Counted.NUMERATOR, Counted.DENOMINATOR)]
    covered = figures.coverage(members, entry.coverage)
    vintages = sorted({str(member.detail["vintage"]) for member in inside if "vintage" in member.detail})
    return _content(
        question,
        value=value,
        numerator=found.numerator,
        denominator=found.denominator,
        coverage=covered,
        progress=standing.made.progress if standing.made else None,
        expected_progress=standing.made.expected_progress if standing.made else None,
        status=standing.status,
        reason=standing.reason or _too_narrow(question, covered),
        light=standing.light,
        detail=figures.beside(members, entry) | _notes(question) | standing.detail,
        vintage=", ".join(vintages) or None,
        evidence=evidence,
        legal_basis=max((member.legal_basis for member in inside), key=_STRICTNESS.index, default="published"),
    )


def _too_narrow(question: Question, covered: Decimal | None) -> Reason | None:
    """Say that a panel covers too little for anything to be said of the district."""
    fewest = question.rules.number("min_coverage")
    if fewest is None or (covered is not None and covered >= fewest):
        return None
    en = "unknown" if covered is None else f"{rounded(HUNDRED * covered, 1)} %"
    zh = "不明" if covered is None else f"{rounded(HUNDRED * covered, 1)}%"
    least = rounded(HUNDRED * fewest, 0)
    return Reason(
        f"coverage of reported energy {en}, the rule needs {least} %: no statement about the district",
        f"申报能耗覆盖率{zh}，规则要求至少{least}%：不作全区判断",
    )


def _notes(question: Question) -> dict[str, str]:
    """Return what must be said wherever the indicator is shown."""
    entry = question.entry
    return {"note_zh": entry.note_zh, "note_en": entry.note_en} if entry.note_en else {}


def _without_value(
    question: Question, why: Reason, evidence: str | None, detail: dict[str, Any] | None = None
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
    reason: Reason | None,
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
        sql_digest=_sql_digest(question),
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


def _sql_digest(question: Question) -> str:
    """Return the digest of the SQL and of what the entry gives it: the same file serves several indicators."""
    files = [file for file in (question.entry.sql, question.entry.reported_sql) if file is not None]
    text = "".join(sql_text("indicators", file) for file in files).encode()
    parameters = question.entry.model_dump(mode="json")["parameters"]
    return digest_of(text + canonical(parameters) if parameters else text)


def _sql(folder: str, file: str) -> bytes:
    return sql_text(folder, file).encode()
