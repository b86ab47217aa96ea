"""Results for people: a table in Chinese or English, and the same as JSON. Pure; rounds, and only here."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from metrics.standing import Status
from warehouse.times import SHANGHAI

_WORDS: Final[dict[str, tuple[str, str]]] = {
    Status.MET: ("完成", "met"),
    Status.NOT_MET: ("未完成", "not met"),
    Status.ACHIEVED: ("提前完成", "achieved"),
    Status.AT_TARGET_NOW: ("当前达标", "at target now"),
    Status.ON_TRACK: ("进度正常", "on track"),
    Status.SLIGHTLY_BEHIND: ("略有滞后", "slightly behind"),
    Status.BEHIND: ("滞后", "behind"),
    Status.INSUFFICIENT_DATA: ("数据不足", "insufficient data"),
    Status.TARGET_MISSING: ("缺目标值", "target missing"),
    Status.BASELINE_MISSING: ("缺基期值", "baseline missing"),
    Status.NO_TARGET: ("无目标", "no target"),
    Status.OPEN: ("尚未实现", "not yet"),
    Status.WITHHELD: ("未满整年", "year not over"),
    "departmental_estimate": ("部门测算", "departmental estimate"),
    "published": ("公布数据", "published"),
    "panel": ("样本", "panel"),
}
_HEADS: Final = (
    ("指标", "indicator"),
    ("报告期", "period"),
    ("数值", "value"),
    ("单位", "unit"),
    ("分子/分母", "of"),
    ("目标", "target"),
    ("覆盖率", "coverage"),
    ("状态", "status"),
    ("口径", "label"),
    ("规则", "rule"),
    ("版本", "version"),
)


def table(rows: Sequence[Mapping[str, Any]], *, chinese: bool) -> list[str]:
    """Return the lines of a table, and below it why values are missing and which are out of date."""
    place = 0 if chinese else 1
    cells = [[head[place] for head in _HEADS], *(_cells(row, place) for row in rows)]
    widths = [max(_width(line[column]) for line in cells) for column in range(len(_HEADS))]
    lines = [
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    ]
    reasons = [
        f"{row['indicator']} {row['period']}: {row['status_reason_zh' if chinese else 'status_reason']}"
        for row in rows
        if row["status_reason"]
    ]
    reasons += [_revised(row, chinese=chinese) for row in rows if row["revised_since"]]
    return [*lines, *(["", *reasons] if reasons else [])]


def _revised(row: Mapping[str, Any], *, chinese: bool) -> str:
    since = f"{row['revised_since'].astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    first, last = row["revised_first_day"], row["revised_last_day"]
    days = f"{first}" if first == last else f"{first} … {last}"
    if chinese:
        return f"{row['indicator']} {row['period']}: 数据已修订（{since} 起，涉及 {days}），请重新计算"
    return f"{row['indicator']} {row['period']}: revised inputs since {since} ({days}), run again (数据已修订)"


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: exact numbers as text, times in ISO 8601, the catalogue's entry left out."""
    return {name: _plain(value) for name, value in row.items() if name != "entry"}


def rounded(value: Decimal | None, decimals: int) -> str:
    """Round half up, as printed statistics are; a missing value is a dash, never 0."""
    return "–" if value is None else f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def _cells(row: Mapping[str, Any], place: int) -> list[str]:
    entry = row["entry"]
    parts = (row["numerator"], row["denominator"])
    return [
        row["name_zh" if place == 0 else "name_en"],
        row["period"],
        rounded(row["value"], entry["decimals"]),
        entry["unit_zh"] if place == 0 else row["unit"],
        "" if parts[1] is None else " / ".join(short(part) for part in parts),
        "–" if row["target"] is None else short(row["target"]),
        "" if row["coverage"] is None else f"{rounded(100 * row['coverage'], 1)} %",
        _WORDS[row["status"]][place],
        _WORDS[row["label"]][place],
        row["rule"],
        str(row["version"]),
    ]


def short(number: Decimal) -> str:
    """Return an exact number with at most three decimals."""
    text = f"{number:f}"
    return rounded(number, 3) if len(text.partition(".")[2]) > 3 else text


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
