"""Figures from members: the headline, its coverage, and what stands beside it. Pure and exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from math import prod
from typing import Any, Final

from metrics.entries import Beside, Coverage, Entry, Formula, Selection
from metrics.progress import HUNDRED, ONE, PRECISION
from warehouse.indicators.results import Counted, Evidence

_EXACT: Final = Context(prec=100, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Headline:
    """The value and what it was made of; no value when the denominator is not positive."""

    value: Decimal | None
    numerator: Decimal
    denominator: Decimal | None


def headline(members: Sequence[Evidence], formula: Formula) -> Headline:
    """Compute the value; a division has 34 digits, nothing else is rounded."""
    inside = [member for member in members if member.counted is Counted.NUMERATOR]
    if formula is Formula.PERCENT:
        numerator, denominator = Decimal(len(inside)), amount_of(members, Selection())
        return Headline(divided(100 * numerator, denominator), numerator, denominator)
    return combined(inside, formula)


def combined(members: Sequence[Evidence], formula: Formula) -> Headline:
    """Compute a value from all of ``members``; no formula that needs others beside them (percent) is one of these."""
    if formula is Formula.COUNT:
        return Headline(Decimal(len(members)), Decimal(len(members)), None)
    amount = _total(member.amount for member in members)
    if formula is Formula.SUM:
        value = amount if any(member.amount is not None for member in members) else None
        return Headline(value, amount, None)
    if formula in (Formula.GROWTH, Formula.DECLINE):
        return _chained([member.amount for member in members if member.amount is not None], formula)
    weight = _total(member.weight for member in members)
    if formula is Formula.PANEL_CHANGE:
        return _compared(members, amount, weight)
    return Headline(divided(100 * amount if formula is Formula.SHARE else amount, weight), amount, weight)


def _chained(changes: Sequence[Decimal], formula: Formula) -> Headline:
    """Chain yearly changes in percent: the mean growth of a year, or the decline over all of them, in percent."""
    with localcontext(PRECISION):
        if not changes or any(change <= -HUNDRED for change in changes):
            return Headline(None, Decimal(0), None)
        made = prod((ONE + change / HUNDRED for change in changes), start=ONE)
        if formula is Formula.DECLINE:
            return Headline(HUNDRED * (ONE - made), made, None)
        years = Decimal(len(changes))
        return Headline(HUNDRED * (made ** (ONE / years) - ONE), made, years)


def _compared(members: Sequence[Evidence], now: Decimal, before: Decimal) -> Headline:
    """Compare energy per output with that of a year before, percent."""
    output = _total(Decimal(member.detail["output"]) for member in members)
    output_before = _total(Decimal(member.detail["output_before"]) for member in members)
    intensity, earlier = divided(now, output), divided(before, output_before)
    if intensity is None or not earlier:
        return Headline(None, intensity or Decimal(0), earlier)
    with localcontext(PRECISION):
        return Headline(HUNDRED * (intensity / earlier - ONE), intensity, earlier)


def amount_of(members: Sequence[Evidence], selection: Selection) -> Decimal:
    """Return how many members ``selection`` takes, or what its detail of theirs sums up to."""
    taken = chosen(members, selection)
    if selection.sum is None:
        return Decimal(len(taken))
    return _total(Decimal(str(member.detail.get(selection.sum, 0))) for member in taken)


def chosen(members: Sequence[Evidence], selection: Selection) -> list[Evidence]:
    """Return the members that ``selection`` takes."""
    return [
        member
        for member in members
        if member.counted in selection.counted
        and all(member.detail.get(name) == value for name, value in selection.where.items())
    ]


def coverage(members: Sequence[Evidence], rule: Coverage | None) -> Decimal | None:
    """Return the share of what was expected that was there, 0 … 1; ``None`` when nothing was expected, or more came."""
    if rule is None:
        return None
    share = divided(amount_of(members, rule.numerator), amount_of(members, rule.denominator))
    return None if share is None or share > 1 else share


def beside(members: Sequence[Evidence], entry: Entry) -> dict[str, Any]:
    """Return the figures beside the headline and the counts by group; numbers as decimal text."""
    return {
        "figures": [_figure(members, figure) for figure in entry.beside],
        "groups": {name: _group(members, name) for name in entry.groups},
    }


def divided(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    """Divide to 34 digits; ``None`` unless the denominator is positive."""
    if denominator <= 0:
        return None
    with localcontext(PRECISION):
        return numerator / denominator


def _total(amounts: Iterable[Decimal | None]) -> Decimal:
    with localcontext(_EXACT):
        return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _figure(members: Sequence[Evidence], figure: Beside) -> dict[str, Any]:
    if figure.formula not in (Formula.COUNT, Formula.PERCENT):
        found = combined(chosen(members, figure.numerator), figure.formula)
        return _told(figure, found.value, found.numerator, found.denominator)
    numerator = amount_of(members, figure.numerator)
    denominator = amount_of(members, figure.denominator) if figure.formula is Formula.PERCENT else None
    value = numerator if denominator is None else divided(100 * numerator, denominator)
    return _told(figure, value, numerator, denominator)


def _told(figure: Beside, value: Decimal | None, numerator: Decimal, denominator: Decimal | None) -> dict[str, Any]:
    return {
        "id": figure.id,
        "name_zh": figure.name_zh,
        "name_en": figure.name_en,
        "value": None if value is None else str(value),
        "numerator": str(numerator),
        "denominator": None if denominator is None else str(denominator),
    }


def _group(members: Sequence[Evidence], name: str) -> dict[str, int]:
    """Count members by reason, whoever they are, or by a detail, of the numerator."""
    if name == "reason":
        found = Counter(member.reason for member in members)
    else:
        found = Counter(
            str(member.detail[name])
            for member in members
            if member.counted is Counted.NUMERATOR and member.detail.get(name) is not None
        )
    return dict(sorted(found.items()))
