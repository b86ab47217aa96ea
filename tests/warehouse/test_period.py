"""Periods: every form that the statistics know, and what is none."""

from __future__ import annotations

from datetime import date

import pytest

from edge_agent.contract.errors import BadRecord
from warehouse.period import Period, PeriodType, parse_period

FORMS = [
    ("2024-02-29", PeriodType.DAY, date(2024, 2, 29), date(2024, 3, 1)),
    ("2025-12", PeriodType.MONTH, date(2025, 12, 1), date(2026, 1, 1)),
    ("2025-01..02", PeriodType.JAN_FEB, date(2025, 1, 1), date(2025, 3, 1)),
    ("2025-Q4", PeriodType.QUARTER, date(2025, 10, 1), date(2026, 1, 1)),
    ("2025-01..09", PeriodType.YTD, date(2025, 1, 1), date(2025, 10, 1)),
    ("2025", PeriodType.YEAR, date(2025, 1, 1), date(2026, 1, 1)),
]


@pytest.mark.parametrize(("text", "kind", "start", "end"), FORMS)
def test_a_period_is_a_half_open_range_of_days(text: str, kind: PeriodType, start: date, end: date) -> None:
    assert parse_period(text) == Period(text, kind, start, end)


def test_the_last_day_belongs_to_the_period() -> None:
    assert parse_period("2025-01..02").last_day == date(2025, 2, 28)


@pytest.mark.parametrize(
    "text",
    ["", "25", "2025-13", "2025-00", "2025-Q5", "2025-02..03", "2025-01..01", "2025-01..13", "2025-02-30", "x2025"],
)
def test_what_is_no_period_is_a_bad_record(text: str) -> None:
    with pytest.raises(BadRecord) as caught:
        parse_period(text)
    assert caught.value.reason == "period"
