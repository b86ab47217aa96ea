"""Shanghai's tariffs of 2023 hour by hour, written by hand from domain rules D5, and what cannot be told."""

from __future__ import annotations

import csv
from datetime import date
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.supply.calendar import DayKind, kind_of_day
from warehouse.supply.periods import QUARTERS, Attribute, Period, PeriodRow, Slot, Structure, Tariffs, Why, day_slots

# One letter an hour, from 00:00: 谷 v, 平 f, 峰 p, 尖 s.
#             0     6 8  11  14   18 19 21 22
JUL_AUG = "vvvvvvffppppsspfffpppfvv"
SEPTEMBER = "vvvvvvffpppppppfffpppfvv"
DEC_JAN = "vvvvvvffpppfffffffpssfvv"
OTHERS = "vvvvvvffpppfffffffpppfvv"
ONE_PART = "vvvvvvppppppppppppppppvv"
LETTERS = {"v": Period.VALLEY, "f": Period.FLAT, "p": Period.PEAK, "s": Period.SHARP, "-": Period.SINGLE}


def shanghai() -> Tariffs:
    """The tables of `warehouse/registry/reference`, read without a database."""

    def rows(name: str) -> list[dict[str, str]]:
        text = resources.files("warehouse.registry").joinpath("reference", name).read_text("utf-8")
        return list(csv.DictReader(text.splitlines()))

    def minute(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return Tariffs(
        (
            (row["tariff"], Attribute(Structure(row["structure"]), date.fromisoformat(row["valid_from"]), None))
            for row in rows("tariffs.csv")
        ),
        (
            (
                row["tariff"],
                PeriodRow(
                    int(row["first_month"]),
                    int(row["last_month"]),
                    None if row["days"] == "all" else DayKind(row["days"]),
                    minute(row["start_minute"]),
                    minute(row["end_minute"]),
                    Period(row["period"]),
                    date.fromisoformat(row["valid_from"]),
                ),
            )
            for row in rows("tariff_periods.csv")
        ),
    )


TARIFFS = shanghai()


@pytest.mark.parametrize(
    ("months", "hours"),
    [((1, 12), DEC_JAN), ((2, 3, 4, 5, 6, 10, 11), OTHERS), ((7, 8), JUL_AUG), ((9,), SEPTEMBER)],
)
def test_every_hour_of_every_season_of_the_two_part_tariff(months: tuple[int, ...], hours: str) -> None:
    expected = tuple(Slot(LETTERS[hour]) for hour in hours for _ in range(4))
    for month in months:
        assert TARIFFS.day("sh-two-part", date(2025, month, 1)) == expected
        assert TARIFFS.day("sh-two-part", date(2025, month, 28)) == expected


@pytest.mark.parametrize(("tariff", "hours"), [("sh-one-part-split", ONE_PART), ("sh-one-part", "-" * 24)])
def test_every_hour_of_the_one_part_tariffs(tariff: str, hours: str) -> None:
    for month in range(1, 13):
        assert TARIFFS.day(tariff, date(2025, month, 15)) == tuple(
            Slot(LETTERS[hour]) for hour in hours for _ in "1234"
        )


def test_a_tariff_that_does_not_hold_yet_tells_nothing() -> None:
    for tariff, day in (("sh-two-part", date(2022, 12, 31)), ("nowhere", date(2025, 7, 1))):
        assert set(TARIFFS.day(tariff, day)) == {Slot(Period.UNKNOWN, Why.NO_TARIFF)}
    assert TARIFFS.day("sh-two-part", date(2023, 1, 1))[0] == Slot(Period.VALLEY)


ALL_DAY = PeriodRow(1, 12, None, 0, 1440, Period.FLAT)
HOLIDAY = PeriodRow(1, 12, DayKind.HOLIDAY, 660, 840, Period.DEEP_VALLEY)
NATIONAL_DAY, SUNDAY, WORKED_SUNDAY = date(2025, 10, 1), date(2025, 10, 19), date(2025, 9, 28)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (NATIONAL_DAY, DayKind.HOLIDAY),
        (date(2025, 10, 8), DayKind.HOLIDAY),  # in lieu
        (SUNDAY, DayKind.WEEKEND),
        (WORKED_SUNDAY, DayKind.WORKDAY),  # 调休
        (date(2025, 10, 20), DayKind.WORKDAY),
        (date(2003, 10, 1), None),
        (date(2004, 1, 1), DayKind.HOLIDAY),  # the first that the package has
        (date(2100, 10, 1), None),
    ],
)
def test_kinds_of_day_are_those_of_the_arrangement(day: date, kind: DayKind | None) -> None:
    assert kind_of_day(day) is kind


def test_a_row_for_the_kind_of_day_goes_before_one_for_all() -> None:
    for rows in ([ALL_DAY, HOLIDAY], [HOLIDAY, ALL_DAY]):
        holiday = day_slots(rows, NATIONAL_DAY, kind_of_day(NATIONAL_DAY))
        assert [place for place, slot in enumerate(holiday) if slot.period is Period.DEEP_VALLEY] == list(range(44, 56))
        assert set(day_slots(rows, SUNDAY, kind_of_day(SUNDAY))) == {Slot(Period.FLAT)}


def test_a_year_outside_the_calendar_is_said_where_the_kind_of_day_decides_and_only_there() -> None:
    slots = day_slots([ALL_DAY, HOLIDAY], date(2003, 10, 1), None)
    assert set(slots[44:56]) == {Slot(Period.UNKNOWN, Why.CALENDAR)}
    assert {*slots[:44], *slots[56:]} == {Slot(Period.FLAT)}


def test_a_boundary_within_a_quarter_hour_is_said() -> None:
    rows = [PeriodRow(1, 12, None, 0, 485, Period.VALLEY), PeriodRow(1, 12, None, 485, 1440, Period.PEAK)]
    slots = day_slots(rows, SUNDAY, DayKind.WEEKEND)
    assert slots[31:34] == (Slot(Period.VALLEY), Slot(Period.UNKNOWN, Why.CUT), Slot(Period.PEAK))
    half = day_slots([PeriodRow(1, 12, None, 485, 1440, Period.PEAK)], SUNDAY, DayKind.WEEKEND)
    assert half[31:34] == (Slot(Period.UNKNOWN, Why.NO_PERIOD), Slot(Period.UNKNOWN, Why.CUT), Slot(Period.PEAK))
    same = [PeriodRow(1, 12, None, 0, 485, Period.VALLEY), PeriodRow(1, 12, None, 485, 1440, Period.VALLEY)]
    assert set(day_slots(same, SUNDAY, DayKind.WEEKEND)) == {Slot(Period.VALLEY)}


def test_a_season_that_is_not_told_is_unknown_and_no_rows_at_all_are_unsplit() -> None:
    row = PeriodRow(7, 8, None, 0, 1440, Period.PEAK, date(2025, 1, 1), date(2025, 8, 1))
    assert set(day_slots([row], date(2025, 6, 30), DayKind.WORKDAY)) == {Slot(Period.UNKNOWN, Why.NO_PERIOD)}
    assert set(day_slots([row], date(2025, 7, 31), DayKind.WORKDAY)) == {Slot(Period.PEAK)}
    assert set(day_slots([row], date(2025, 8, 1), DayKind.WORKDAY)) == {Slot(Period.SINGLE)}


MINUTES = st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True).map(sorted)
ROWS = st.lists(
    st.builds(
        lambda days, minutes, period: PeriodRow(1, 12, days, minutes[0], minutes[1], period),
        st.sampled_from([None, *DayKind]),
        MINUTES,
        st.sampled_from([Period.SHARP, Period.PEAK, Period.FLAT, Period.VALLEY, Period.DEEP_VALLEY]),
    ),
    min_size=1,
    max_size=6,
)


@given(ROWS, st.sampled_from([None, *DayKind]))
def test_what_is_told_of_a_quarter_hour_is_what_one_row_says_of_all_its_minutes(
    rows: list[PeriodRow], kind: DayKind | None
) -> None:
    def says(row: PeriodRow, minute: int) -> bool:
        return row.start_minute <= minute < row.end_minute

    slots = day_slots(rows, SUNDAY, kind)
    assert len(slots) == QUARTERS
    for place, slot in enumerate(slots):
        assert (slot.period is Period.UNKNOWN) == (slot.why is not None)
        for minute in range(15 * place, 15 * place + 15):
            own = {row.period for row in rows if row.days is not None and row.days is kind and says(row, minute)}
            others = {row.period for row in rows if row.days is None and says(row, minute)}
            if slot.period is not Period.UNKNOWN:
                assert slot.period in (own or others)
                top = [one for one in (Period.DEEP_VALLEY, Period.SHARP) if one in (own or others)]
                assert slot.period in (top[:1] or own or others)
