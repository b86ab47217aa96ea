"""How offices write numbers, days, months and hours, and what of it can be read without guessing.

Every function takes a stripped text and returns its value, or raises ``ValueError`` whose text says why not. Nothing
that could mean two things is read: ``1,23`` is no number, ``2025.1`` no month (a sheet that lost the zero of 2025.10
shows the same), a month is no day.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Final

_NUMBER: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?\s*(?P<unit>(?:[^\W\d_]|[%°]).*)?"
)
_DAY: Final = (
    re.compile(r"(\d{4})-(\d{2})-(\d{2})"),
    re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})"),
    re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})"),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]"),
)
_MONTH: Final = (
    re.compile(r"(\d{4})-(\d{2})"),
    re.compile(r"(\d{4})\.(\d{2})"),
    re.compile(r"(\d{4})/(\d{1,2})"),
    re.compile(r"(\d{4})年(\d{1,2})月份?"),
)
_HOUR: Final = re.compile(r"(?P<next>次日|\+1 ?)?(?P<hour>\d{1,2})(?::(?P<minute>\d{2})|时|点)")
_QUARTERS: Final = {"一": 1, "二": 2, "三": 3, "四": 4}
_WEEKDAYS: Final = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}


def narrow(text: str) -> str:
    """Return ``text`` with full-width digits, letters and signs narrowed, and a minus sign as a hyphen."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def number(text: str) -> tuple[Decimal, str]:
    """Return a number exactly as its digits say, and the unit written after it (empty for none).

    Thousands separators must stand every three digits. No exponents: a sheet shows them where it lost digits.
    """
    text = narrow(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(
            "separators must stand every three digits (千分位有误)" if "," in text else "not a number (不是数字)"
        )
    unit = match["unit"] or ""
    if unit[:1] in {"e", "E"} and unit[1:2] in {"+", "-", *"0123456789"}:
        raise ValueError("written with an exponent: digits may be lost (科学计数法，数字可能已丢失)")
    return Decimal(match["sign"] + match["whole"].replace(",", "") + (match["part"] or "")), unit.strip()


def day(text: str) -> date:
    """Return a day; ``2025-01-05``, ``2025/1/5``, ``2025.1.5`` or ``2025年1月5日``."""
    if (found := _first(_DAY, narrow(text))) is None:
        raise ValueError("")
    return date(*map(int, found))


def month(text: str) -> date:
    """Return the first day of a month; ``2025-01``, ``2025.01``, ``2025/1``, ``2025年1月``, or that day itself."""
    text = narrow(text)
    if (found := _first(_MONTH, text)) is not None:
        return date(int(found[0]), int(found[1]), 1)
    if (first := day(text)).day != 1:
        raise ValueError("a day within a month (月中的一天)")
    return first


def period(text: str) -> str:
    """Return a period in the project's own form: also ``2025年``, ``2025年3月``, ``2025年1-9月``, ``2025年一季度``."""
    text = narrow(text)
    if (match := re.fullmatch(r"(\d{4})年", text)) is not None:
        return match[1]
    if (match := re.fullmatch(r"(\d{4})年(\d{1,2})月份?", text)) is not None:
        return f"{match[1]}-{int(match[2]):02}"
    if (match := re.fullmatch(r"(\d{4})年0?1[-~—至](\d{1,2})月份?", text)) is not None:
        return f"{match[1]}-01..{int(match[2]):02}"
    if (match := re.fullmatch(r"(\d{4})年第?([1-4一二三四])季度", text)) is not None:
        return f"{match[1]}-Q{_QUARTERS.get(match[2], match[2])}"
    return text


def minute_of_day(text: str) -> int:
    """Return minutes since 00:00; ``08:30``, ``8时``, ``24:00``, and ``次日06:00`` or ``+1 06:00`` for the next day."""
    match = _HOUR.fullmatch(narrow(text))
    if match is None:
        raise ValueError("")
    minutes = int(match["hour"]) * 60 + int(match["minute"] or 0)
    if int(match["minute"] or 0) > 59 or minutes > 1440:
        raise ValueError("")
    return minutes + (1440 if match["next"] else 0)


def weekdays(text: str) -> str:
    """Return days of the week as digits from 1 (Monday); ``12345``, ``1-5``, ``1,3,5``, ``周一至周五``, ``每天``."""
    text = narrow(text).replace(" ", "")
    if text == "每天":
        return "1234567"
    digits = re.sub(r"(?:周|星期|礼拜)?([一二三四五六日天])", lambda m: str(_WEEKDAYS[m[1]]), text)
    if (match := re.fullmatch(r"([1-7])[-~至到—]([1-7])", digits)) is not None and match[1] < match[2]:
        return "".join(map(str, range(int(match[1]), int(match[2]) + 1)))
    days = re.sub(r"[,、;/]", "", digits)
    if re.fullmatch(r"[1-7]{1,7}", days) is None or len(set(days)) != len(days):
        raise ValueError("")
    return "".join(sorted(days))


def _first(forms: tuple[re.Pattern[str], ...], text: str) -> tuple[str, ...] | None:
    return next((match.groups() for form in forms if (match := form.fullmatch(text)) is not None), None)
