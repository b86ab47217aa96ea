"""A panel over two months a year apart: the same enterprises, complete in both, every larger carrier metered. Pure.

Domain rules B6: a statement about the panel, never about the district.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from metrics.progress import HUNDRED, PRECISION
from warehouse.indicators.results import Counted, Evidence

DISTRICT = "district"
"""Member that stands for all of industry above scale, beside the panel."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What an enterprise, or the district, reported of its energy."""

    tce: Decimal | None
    """Since January, for the coverage."""
    month_tce: Decimal | None
    """Of the month, for the deviation of what was metered."""
    carriers: frozenset[str] | None
    """Carriers that make a larger share of it, "" for one that no meter measures; ``None`` without a report."""
    source: str


def compared(now: Sequence[Evidence], before: Sequence[Evidence], reported: Mapping[str, Reported]) -> list[Evidence]:
    """Return the fixed panel: amount is the energy now, weight that of a year before, outputs stand in the detail."""
    earlier = {member.member: member for member in before}
    members = [_member(member, earlier.get(member.member), reported.get(member.member)) for member in now]
    whole = reported.get(DISTRICT)
    if whole is not None and whole.tce is not None:
        members.append(
            Evidence(
                DISTRICT,
                Counted.APART,
                "reported_by_all",
                None,
                None,
                None,
                {"reported_all": str(whole.tce)},
                whole.source,
                "published",
            )
        )
    return members


def _member(now: Evidence, before: Evidence | None, reported: Reported | None) -> Evidence:
    reason = _reason(now, before, reported)
    if reason != "qualified" or before is None or reported is None:
        return replace(now, counted=Counted.EXCLUDED, reason=reason, amount=None, weight=None)
    detail: dict[str, Any] = {
        **now.detail,
        "output": str(now.weight),
        "output_before": str(before.weight),
        "reported": str(reported.tce or 0),
    }
    if reported.month_tce and now.amount is not None:
        detail["deviation"] = str(PRECISION.divide(HUNDRED * (now.amount - reported.month_tce), reported.month_tce))
    return replace(now, weight=before.amount, detail=detail, source=f"{now.source}; {reported.source}")


def _reason(now: Evidence, before: Evidence | None, reported: Reported | None) -> str:
    if now.counted is not Counted.NUMERATOR:
        return now.reason.replace("value_added", "output")
    if before is None:
        return "not_connected_a_year_before"
    if before.counted is not Counted.NUMERATOR:
        return "a_year_before_" + before.reason.replace("value_added", "output")
    if reported is None or reported.carriers is None:
        return "no_energy_report"
    if not reported.carriers <= set(str(now.detail.get("carriers", "")).split(", ")):
        return "carrier_not_metered"
    return "qualified"
