"""Cells of the files: how a text becomes a value, and what is allowed.

Every parser takes the stripped, non-empty text and returns its value, or raises ``ValueError`` (its text may say why);
what is allowed stands beside it, in both languages, for the report, the template and the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Final

from edge_agent.contract.errors import BadRecord
from warehouse.period import FORMS, parse_period
from warehouse.registry import spelling, units, uscc
from warehouse.registry.units import Unit
from warehouse.times import midnight

SHEET_DIGITS: Final = 15
"""Significant digits that a spreadsheet keeps; a number cell with more was computed, or has lost some."""

Value = str | int | bool | Decimal | date | datetime | None


class Figures(Enum):
    """What a number cell of a spreadsheet may stand for in a column."""

    NEVER = "never"
    """Not at all: the number hides what was typed (a code, a date)."""
    DIGITS = "digits"
    """Its digits, when it is whole: a serial number."""
    VALUE = "value"
    """Its value, by its digits."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of cell: its parser, what it allows, and the type of its column in the database."""

    parse: Callable[[str], Value]
    allowed: str
    sql_type: str
    figures: Figures = Figures.NEVER
    moments: bool = False
    """Whether a day or hour of a spreadsheet may stand in it: of a code like 3-12 it would have made one."""
    unit: Unit | None = None
    """Of a measured column: numbers may carry another word of it, which multiplies them."""
    scaled: Callable[[str, Decimal], Value] | None = None
    """As ``parse``, for a column whose header names a unit with this factor."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words allowed, each with its Chinese name."""


def _matching(pattern: str) -> Callable[[str], Value]:
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(text)
        return text

    return parse


def shaped(pattern: str, allowed: str, figures: Figures = Figures.NEVER) -> Cell:
    """A text of a given shape (regular expression over the whole text); full-width letters and digits are narrowed."""
    parse = _matching(pattern)
    return Cell(lambda text: parse(spelling.narrow(text)), allowed, "text", figures)


def one_of(*only: str, **named: str) -> Cell:
    """One of a few words, or its Chinese name (``small="小型"``; several by ``|``)."""
    words = {**dict.fromkeys(only, ""), **named}
    known = {word: word for word in words}
    for word, names in words.items():
        known |= {name: word for name in names.split("|") if name}
    chinese = " | ".join(names.split("|")[0] for names in named.values())
    allowed = " | ".join(words) + (f" ({chinese})" if chinese else "")
    return Cell(
        lambda text: known[spelling.narrow(text)],
        allowed,
        "text",
        words={word: names.split("|")[0] for word, names in words.items()},
    )


def measured(unit: Unit, decimals: int, low: int | None = 0, high: int | None = None) -> Cell:
    """An exact number in ``unit``, with at most so many decimals after it was brought to it."""

    def scaled(text: str, header: Decimal) -> Value:
        value, word = spelling.number(text)
        factor = unit.factor(word) if word else header
        if factor is None:
            raise ValueError(f"{word!r} is no unit of it; known: {', '.join(unit.words)} (单位不对)")
        return _within(value * factor, decimals, low, high)

    bounds = f" {low} … {high}" if high is not None else f" ≥ {low}" if low is not None else ""
    allowed = f"number in {unit.name}{bounds}, at most {decimals} decimals (数字，单位{unit.name})"
    return Cell(
        lambda text: scaled(text, Decimal(1)),
        allowed,
        "numeric" if decimals else "int",
        Figures.VALUE,
        unit=unit,
        scaled=scaled,
    )


def whole(low: int, high: int) -> Cell:
    """A whole number between two bounds, both included."""
    return Cell(lambda text: int(_plain(text, 0, low, high)), f"{low} … {high}", "int", Figures.VALUE)


def decimal(allowed: str, decimals: int = 12, low: int | None = None, high: int | None = None) -> Cell:
    """A bare decimal number, at most so many decimals."""
    return Cell(partial(_plain, decimals=decimals, low=low, high=high), allowed, "numeric", Figures.VALUE)


def _plain(text: str, decimals: int, low: int | None, high: int | None) -> Decimal:
    value, word = spelling.number(text)
    if word:
        raise ValueError(f"a unit, {word!r} (带单位)")
    return Decimal(_within(value, decimals, low, high))


def _within(value: Decimal, decimals: int, low: int | None, high: int | None) -> Decimal | int:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):  # a number written in digits is finite
        raise TypeError(value)
    if exponent < -decimals:
        if value != (fewer := value.quantize(Decimal(1).scaleb(-decimals))):
            raise ValueError(f"more than {decimals} decimals: round it (小数超过{decimals}位，请四舍五入)")
        value = fewer
    if value.adjusted() >= 15:
        raise ValueError("more than 15 digits before the point (整数部分超过15位)")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError("out of range (超出范围)")
    return value if decimals else int(value)


_EXPONENT: Final = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
MADE_A_NUMBER: Final = (
    "a spreadsheet made a number of the code and its last digits are lost: format the column as text, then copy the "
    "code anew from the register (表格软件把代码变成了数字，末几位已丢失：请将该列设为文本格式，再从登记资料重新复制)"
)


def _uscc(text: str) -> str:
    code = uscc.normalise(text)
    if _EXPONENT.fullmatch(code) is not None:
        raise ValueError(MADE_A_NUMBER)
    if (wrong := uscc.problem(code)) is not None:
        raise ValueError(wrong)
    return code


def _code(text: str) -> str:
    text = spelling.narrow(text)
    if _EXPONENT.fullmatch(text) is not None:
        raise ValueError(MADE_A_NUMBER)
    if re.fullmatch(r"[^\x00-\x1f]{1,64}", text) is None:
        raise ValueError("")
    return text


def _instant(text: str) -> datetime:
    text = spelling.narrow(text)
    if "T" not in text and ":" not in text:
        return midnight(spelling.day(text))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset (缺时区)")
    return moment.astimezone(UTC)


def _yes_no(text: str) -> bool:
    return {"true": True, "false": False, "是": True, "否": False}[text.lower()]


def _period(text: str) -> str:
    try:
        return parse_period(spelling.period(text)).text
    except BadRecord as error:
        raise ValueError(error.detail) from error


_UNIT_WORDS: Final = {
    "万元": "10k_cny",
    "亿元": "100m_cny",
    "吨标准煤": "tce",
    "千瓦时": "kWh",
    "%": "percent",
    "个": "count",
    "家": "count",
    "平方公里": "km2",
    "元": "cny",
    "美元": "usd",
    "万美元": "10k_usd",
    "亿美元": "100m_usd",
    "万吨标准煤": "10k_tce",
    "万千瓦时": "10k_kWh",
    "亿千瓦时": "100m_kWh",
    "兆瓦时": "MWh",
    "立方米": "m3",
    "万立方米": "10k_m3",
    "亿立方米": "100m_m3",
    "百万千焦": "GJ",
    "吉焦": "GJ",
    "兆焦": "MJ",
    "吨": "t",
    "万吨": "10k_t",
    "千克": "kg",
    "公斤": "kg",
    "人": "person",
    "万人": "10k_person",
    "吨标准煤/万元": "tce/10k_cny",
    "吨二氧化碳": "tCO2",
    "万吨二氧化碳": "10k_tCO2",
    "位": "rank",
    "名": "rank",
}


def _unit_word(text: str) -> str:
    text = spelling.narrow(text)
    return _UNIT_WORDS.get(text) or str(_TEXT(text))


class Percentage(Decimal):
    """A number that was written with a percent sign; it stands only where the unit is percent."""


class Movement(Percentage):
    """A percentage that was written as a rise or fall (下降3.2%); it stands only where a change is meant."""


_RISE: Final = re.compile("(增长|上升|提高|增加|上涨)(?P<amount>[^+-].*)")
_FALL: Final = re.compile("(下降|降低|减少|回落|下跌)(?P<amount>[^+-].*)")


def _figure(text: str) -> Decimal:
    text = spelling.narrow(text)
    if text in ("持平", "与上年持平"):
        return Movement(0)
    rise, fall = _RISE.fullmatch(text), _FALL.fullmatch(text)
    match = rise or fall
    value, word = spelling.number(match["amount"].strip() if match is not None else text)
    if word not in ("", "%"):
        raise ValueError(f"a unit, {word!r}: it stands in its own column (单位请填在单位列)")
    value = Decimal(_within(value, 12, None, None))
    if match is not None:
        return Movement(-value if fall is not None else value)
    return Percentage(value) if word else value


_TEXT: Final = _matching(r"[^\x00-\x1f]{1,500}")
TEXT: Final = Cell(
    _TEXT, "text, at most 500 characters on one line (文字，不超过500字)", "text", Figures.DIGITS, moments=True
)
CODE: Final = Cell(_code, "text, at most 64 characters (编号，不超过64字)", "text", Figures.DIGITS)
UNIT: Final = Cell(_unit_word, "unit: 10k_cny (万元), 100m_cny (亿元), tce, kWh, percent, count … (单位)", "text")
USCC: Final = Cell(
    _uscc, "统一社会信用代码: 18 characters of GB 32100-2015 with the right check character (18位，校验位正确)", "text"
)
DAY: Final = Cell(spelling.day, "YYYY-MM-DD (年-月-日)", "date", moments=True)
MONTH: Final = Cell(spelling.month, "YYYY-MM (年-月)", "date", moments=True)
INSTANT: Final = Cell(
    _instant,
    "ISO 8601 with offset, or YYYY-MM-DD (midnight in Shanghai) (带时区的时间，或年-月-日)",
    "timestamptz",
    moments=True,
)
MINUTE: Final = Cell(
    spelling.minute_of_day, "HH:MM, 24:00; next day: +1 06:00 or 次日06:00 (时:分)", "smallint", moments=True
)
WEEKDAYS: Final = Cell(spelling.weekdays, "12345, 1-5, 周一至周五, 每天; 1 is Monday (1为周一)", "text", Figures.DIGITS)
NUMBER: Final = decimal("decimal number (数字)")
NOT_NEGATIVE: Final = decimal("decimal number ≥ 0 (不小于0的数字)", low=0)
FIGURE: Final = Cell(
    _figure,
    "decimal number; a percentage also 3.2%, a change also 下降3.2% or 增长3.2% (数字；百分比、升降幅度可带文字)",
    "numeric",
    Figures.VALUE,
)
POINTS: Final = decimal("0 … 100", low=0, high=100)
YES_NO: Final = Cell(_yes_no, "true | false (是 | 否)", "boolean", words={"true": "是", "false": "否"})
PERIOD: Final = Cell(_period, f"{FORMS} (也可写 2025年3月、2025年1-9月)", "text", Figures.DIGITS, moments=True)
REGION: Final = shaped(r"\d{6}(\d{6})?", "6 or 12 digits (6位或12位数字)", Figures.DIGITS)
GATEWAY: Final = shaped(
    r"[a-z0-9][a-z0-9-]{0,62}", "lower-case letters, digits, hyphens, at most 63 (小写字母、数字、连字符)"
)
SERIES: Final = shaped(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "letters, digits, _ . -, at most 100 (字母、数字、_ . -)")
SLUG: Final = shaped(
    r"[a-z0-9][a-z0-9-]{0,39}",
    "lower-case letters, digits, hyphens, at most 40 (小写字母、数字、连字符)",
    Figures.DIGITS,
)
WORD: Final = shaped(r"[a-z][a-z0-9_]{0,39}", "lower-case letters, digits, _, at most 40 (小写字母、数字、_)")
SECTOR: Final = shaped(
    r"[A-T]\d{0,4}", "GB/T 4754-2017: a letter and up to 4 digits, C39 (行业代码：字母加至多4位数字)"
)
LEGAL_BASIS: Final = one_of(statistical="统计", administrative="行政", consented="授权", published="公开")
MONEY: Final = measured(units.MONEY, 6)
REVENUE: Final = measured(units.MONEY, 6, low=None)
PEOPLE: Final = measured(units.PEOPLE, 0, high=10_000_000)
SHARE: Final = measured(units.PERCENT, 2, high=100)
LAND: Final = measured(units.AREA, 6)


def _above_zero(cell: Cell) -> Cell:
    def positive(value: Value) -> Value:
        if not isinstance(value, int | Decimal) or value <= 0:
            raise ValueError("not above 0 (须大于0)")
        return value

    scaled = cell.scaled
    return replace(
        cell,
        parse=lambda text: positive(cell.parse(text)),
        allowed=cell.allowed.replace("≥ 0", "> 0").replace("不小于0", "大于0"),
        scaled=None if scaled is None else lambda text, header: positive(scaled(text, header)),
    )


POSITIVE: Final = _above_zero(NOT_NEGATIVE)
KILOWATT: Final = _above_zero(measured(units.POWER, 3))
KILOVOLTAMPERE: Final = _above_zero(measured(units.APPARENT, 3))
KILOVOLT: Final = _above_zero(measured(units.VOLTAGE, 3))
PRICE: Final = decimal("decimal number ≥ 0, at most 8 decimals (不小于0的数字)", 8, low=0)
