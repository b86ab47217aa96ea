"""One result in words: which target, from which base, at which pace, and what stands beside it. Pure; rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from metrics.progress import HUNDRED
from metrics.show import rounded, short

_LIGHTS: Final = {3: ("三级（绿）", "3, green (三级)"), 2: ("二级", "2 (二级)"), 1: ("一级（红）", "1, red (一级)")}


def explain(rows: Sequence[Mapping[str, Any]], *, chinese: bool) -> list[str]:
    """Return lines about the first of ``rows``, results of one indicator, newest first; the others are its trend."""
    if not rows:
        return []
    row = rows[0]
    entry, detail = row["entry"], row["detail"]
    decimals = entry["decimals"]
    words = _Words(chinese=chinese, decimals=decimals, unit=entry["unit_zh"] if chinese else row["unit"])
    lines = [
        f"{row['indicator']} {row['period']}",
        f"  {entry['definition_zh'] if chinese else entry['numerator']}",
        *words.target(entry, detail),
        *words.pace(row, detail),
        *words.base(detail.get("base")),
        *words.chain(detail.get("chain", ())),
        *(words.scenario(scenario) for scenario in detail.get("scenarios", ())),
        *(words.figure(figure) for figure in detail.get("figures", ())),
        *words.trend(rows),
    ]
    note = detail.get("note_zh" if chinese else "note_en")
    return [*lines, *([f"  ! {note}"] if note else [])]


class _Words:
    """Chooses the language, and rounds to the indicator's decimals."""

    def __init__(self, *, chinese: bool, decimals: int, unit: str) -> None:
        self._chinese = chinese
        self._decimals = decimals
        self._unit = unit

    def target(self, entry: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[str]:
        targets = entry["targets"]
        if not targets:
            return
        latest = max(targets, key=lambda target: int(target["version"]))
        wanted = latest["wording"] if latest["value"] is None else self._number(latest["value"])
        high = "" if latest["value_high"] is None else f"–{self._number(latest['value_high'])}"
        stretch = detail.get("stretch")
        more = "" if stretch is None else self._say(f"，上限{'已' if stretch else '未'}达到", _stretch(stretch))
        yield self._say(
            f"  目标：{wanted}{high}（{latest['due']}）{more}", f"  target: {wanted}{high} by {latest['due']}{more}"
        )

    def pace(self, row: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[str]:
        if row["progress"] is not None and row["expected_progress"] is not None:
            made, wanted = (f"{rounded(HUNDRED * row[name], 1)} %" for name in ("progress", "expected_progress"))
            yield self._say(
                f"  完成进度 {made}，时间进度 {wanted}", f"  made {made} of the way, {wanted} expected by now"
            )
        if row["light"] is not None:
            yield self._say(f"  约束性指标评级：{_LIGHTS[row['light']][0]}", f"  light: {_LIGHTS[row['light']][1]}")
        if detail.get("still_needed_a_year") is not None:
            needed, a_year = (self._number(detail[name]) for name in ("still_needed", "still_needed_a_year"))
            yield self._say(
                f"  尚需 {needed} {self._unit}，余下每年 {a_year}",
                f"  still needed {needed} {self._unit}, {a_year} a year",
            )
        if detail.get("provisional"):
            yield self._say(
                "  末年为暂定（不满整年与上年同期相比）",
                "  the last year is provisional: part of it against the same part",
            )

    def base(self, base: Mapping[str, Any] | None) -> Iterator[str]:
        if base is None:
            return
        note = base["note_zh" if self._chinese else "note_en"]
        value = self._number(base["value"])
        origin = self._say(
            "按登记数据" if base["origin"] == "registers" else "规划文本",
            "from the same registers" if base["origin"] == "registers" else "of the plan",
        )
        yield self._say(f"  基期值：{value}（{origin}）", f"  base: {value}, {origin}") + (f"; {note}" if note else "")

    def chain(self, chain: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        if not chain:
            return
        steps = "  ".join(
            f"{step['year']} {_signed(Decimal(step['change']))}{'*' if step['provisional'] else ''}"
            f"{'' if step['method'] == 'published' else ' (' + step['method'] + ')'}"
            for step in chain
        )
        yield self._say(f"  逐年升降（%）：{steps}", f"  yearly changes, percent: {steps}")

    def scenario(self, scenario: Mapping[str, Any]) -> str:
        made = rounded(HUNDRED * Decimal(scenario["progress"]), 1)
        path, a_year = scenario["expected"], scenario["still_needed_a_year"]
        needed = "–" if a_year is None else self._number(a_year)
        name = scenario["name_zh" if self._chinese else "name_en"]
        return self._say(
            f"  {name}：完成 {made} %，路径 {self._number(path)}，余下每年 {needed}",
            f"  {name}: {made} % of the way, path {self._number(path)}, {needed} a year still needed",
        )

    def figure(self, figure: Mapping[str, Any]) -> str:
        value = figure["value"]
        shown = "–" if value is None else short(Decimal(value))
        return f"  {figure['name_zh' if self._chinese else 'name_en']}: {shown}"

    def trend(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        length = len(rows[0]["period"])
        alike = [row for row in rows if len(row["period"]) == length and row["value"] is not None]
        if len(alike) < 2:
            return
        steps = "  ".join(f"{row['period']} {rounded(row['value'], self._decimals)}" for row in reversed(alike[:6]))
        yield self._say(f"  走势：{steps}", f"  trend: {steps}")

    def _number(self, text: str) -> str:
        return rounded(Decimal(text), self._decimals)

    def _say(self, zh: str, en: str) -> str:
        return zh if self._chinese else en


def _stretch(reached: object) -> str:
    return f"; its upper end is {'reached' if reached else 'not reached'}"


def _signed(change: Decimal) -> str:
    text = rounded(change, 2)
    return text if text.startswith("-") else f"+{text}"
