"""What is asked of an indicator, and what its SQL is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from metrics.entries import Entry
from metrics.rulesets import Rules
from metrics.targets import Plan, Target
from warehouse.period import Period, PeriodType
from warehouse.times import SHANGHAI, midnight


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: one indicator for one period and area, with what was recorded by ``as_of``."""

    entry: Entry
    plan: Plan | None
    rules: Rules
    period: Period
    region: str
    as_of: datetime

    def parameters(self) -> dict[str, Any]:
        """Return what the SQL is given: the question, then the parameters of rule set and entry by their names."""
        return {
            **self.rules.set.parameters,
            **self.entry.parameters,
            "as_of": self.as_of,
            "region": self.region,
            "period": self.period.text,
            "period_start": self.period.start,
            "period_end": self.period.end,
            "period_last": self.period.last_day,
            "ytd_periods": ytd_periods(self.period),
            "year": self.period.last_day.year,
            "from_t": midnight(self.period.start),
            "to_t": midnight(self.period.end),
            "plan_start": date.fromordinal(self.plan.base_date.toordinal() + 1) if self.plan else None,
            "plan_end": self.plan.end_date if self.plan else None,
        }

    @property
    def whole_year(self) -> bool:
        """True when what is counted from January on is a whole year's."""
        return (self.period.end.month, self.period.end.day) == (1, 1)

    def ended(self, target: Target | None) -> bool:
        """True when the period reaches the target's day, and that day has passed."""
        if target is None:
            return False
        today = self.as_of.astimezone(SHANGHAI).date()
        return self.period.last_day >= target.due and today > target.due


def ytd_periods(period: Period) -> list[str]:
    """Return how statistics write January until the end of ``period``, the usual one first.

    A January alone is one for those series that have it; 规上 industry is published for 1–2月 together.
    """
    year, month = period.last_day.year, period.last_day.month
    if period.type is PeriodType.DAY:
        return []
    if month == 12:
        return [f"{year}", f"{year}-01..12"]
    return [f"{year}-01"] if month == 1 else [f"{year}-01..{month:02d}"]
