"""Cells of the CSV files: how a text becomes a value, and what is allowed.

Every parser takes the stripped, non-empty text and returns its value, or raises ``ValueError``; what is allowed stands
beside it, for the report and for the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.contract.errors import BadRecord
from warehouse.period import FORMS, parse_period
from warehouse.registry import uscc

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
"""Days of the registry, and of everything above it, are those of this zone."""

Value = str | int | bool | Decimal | date | datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of cell: its parser, what it allows, and the type of its column in the database."""

    parse: Callable[[str], Value]
    allowed: str
    sql_type: str


def _matching(pattern: str) -> Callable[[str], Value]:
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(text)
        return text

    return parse


def shaped(pattern: str, allowed: str) -> Cell:
    """A text of a given shape (regular expression over the whole text)."""
    return Cell(_matching(pattern), allowed, "text")


def one_of(*words: str) -> Cell:
    """One of a few words."""
    return Cell(_matching("|".join(map(re.escape, words))), " | ".join(words), "text")


def _uscc(text: str) -> str:
    code = uscc.normalise(text)
    if (wrong := uscc.problem(code)) is not None:
        raise ValueError(wrong)
    return code


def _day(text: str) -> date:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        raise ValueError(text)
    return date.fromisoformat(text)


def _month(text: str) -> date:
    return _day(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else "")


def _instant(text: str) -> datetime:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None:
        return datetime.combine(date.fromisoformat(text), time(), SHANGHAI).astimezone(UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC)


def _decimal(text: str) -> Decimal:
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text) is None:
        raise ValueError(text)
    return Decimal(text)


def _not_negative(text: str) -> Decimal:
    if (number := _decimal(text)) < 0:
        raise ValueError(text)
    return number


def _positive(text: str) -> Decimal:
    if (number := _decimal(text)) <= 0:
        raise ValueError(text)
    return number


def _points(text: str) -> Decimal:
    if not 0 <= (number := _decimal(text)) <= 100:
        raise ValueError(text)
    return number


def whole(low: int, high: int) -> Cell:
    """A whole number between two bounds, both included."""

    def parse(text: str) -> int:
        if re.fullmatch(r"\d{1,9}", text) is None or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Cell(parse, f"{low} … {high}", "int")


def _yes_no(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _period(text: str) -> str:
    try:
        return parse_period(text).text
    except BadRecord as error:
        raise ValueError(error.detail) from error


TEXT: Final = shaped(r"[^\x00-\x1f]{1,500}", "text, at most 500 characters on one line")
USCC: Final = Cell(_uscc, "统一社会信用代码: 18 characters of GB 32100-2015 with the right check character", "text")
DAY: Final = Cell(_day, "YYYY-MM-DD", "date")
MONTH: Final = Cell(_month, "YYYY-MM", "date")
INSTANT: Final = Cell(_instant, "ISO 8601 with offset, or YYYY-MM-DD (midnight in Shanghai)", "timestamptz")
NUMBER: Final = Cell(_decimal, "decimal number", "numeric")
NOT_NEGATIVE: Final = Cell(_not_negative, "decimal number ≥ 0", "numeric")
POSITIVE: Final = Cell(_positive, "decimal number > 0", "numeric")
POINTS: Final = Cell(_points, "0 … 100", "numeric")
YES_NO: Final = Cell(_yes_no, "true | false", "boolean")
PERIOD: Final = Cell(_period, FORMS, "text")
REGION: Final = shaped(r"\d{6}(\d{6})?", "6 or 12 digits")
GATEWAY: Final = shaped(r"[a-z0-9][a-z0-9-]{0,62}", "lower-case letters, digits, hyphens, at most 63")
SERIES: Final = shaped(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "letters, digits, _ . -, at most 100")
SLUG: Final = shaped(r"[a-z0-9][a-z0-9-]{0,39}", "lower-case letters, digits, hyphens, at most 40")
WORD: Final = shaped(r"[a-z][a-z0-9_]{0,39}", "lower-case letters, digits, _, at most 40")
SECTOR: Final = shaped(r"[A-T]\d{0,4}", "GB/T 4754-2017: a letter and up to 4 digits, C39")
LEGAL_BASIS: Final = one_of("statistical", "administrative", "consented", "published")
