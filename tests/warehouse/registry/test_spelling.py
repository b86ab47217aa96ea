"""How offices write: what is read, exactly, and what could mean two things and is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.registry.unhurried import UNHURRIED
from warehouse.registry import cells, spelling, uscc
from warehouse.registry.cells import Cell, Value
from warehouse.registry.tables import TABLES

EXACT = st.decimals(min_value=Decimal(-(10**14)), max_value=Decimal(10**14), places=6, allow_nan=False)
FULL_WIDTH = str.maketrans("0123456789,.-", "０１２３４５６７８９，．－")
ALL_CELLS = tuple({id(column.cell): column.cell for table in TABLES for column in table.columns}.values())


def value(cell: Cell, text: str) -> Value:
    try:
        return cell.parse(text)
    except (ValueError, KeyError):
        return "refused"


@UNHURRIED
@given(EXACT)
def test_a_number_is_its_digits_however_it_is_grouped_and_wide(number: Decimal) -> None:
    for text in (f"{number:f}", f"{number:,f}", f"{number:,f}".translate(FULL_WIDTH), f"{number:f}".replace("-", "−")):
        assert spelling.number(text) == (number, "")
        assert str(spelling.number(text)[0]) == f"{number:f}"


@pytest.mark.parametrize("text", ["12,34", "1,2345", "1,234,56", "1.234.567", "1e5", "9.13E+17", "", "abc", "1 2", "½"])
def test_what_is_no_number_or_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        spelling.number(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3,500.25", "3500.25"),
        ("３，５００．２５", "3500.25"),
        ("1.2亿", "12000"),
        ("1.2亿元", "12000"),
        ("350万", "350"),
        ("350 万元", "350"),
        ("35000元", "3.5"),
        ("1元", "0.0001"),
        ("0.001元", "refused"),
        ("0.01元", "0.000001"),
        ("12美元", "refused"),
        ("-1", "refused"),
        ("0.1", "0.1"),
        ("0.1234567", "refused"),
        ("0.1234560000", "0.123456"),
        ("1000000000000000", "refused"),
    ],
)
def test_money_is_brought_to_10k_yuan_exactly(text: str, expected: str) -> None:
    found = value(cells.MONEY, text)
    assert found == (Decimal(expected) if expected != "refused" else expected)


@UNHURRIED
@given(EXACT.filter(lambda number: number >= 0), st.sampled_from([("亿元", 4), ("万元", 0), ("元", -4)]))
def test_money_in_any_unit_is_exact_or_refused(number: Decimal, unit: tuple[str, int]) -> None:
    word, power = unit
    exact = number.scaleb(power)
    found = value(cells.MONEY, f"{number:,f}{word}")
    fits = exact == exact.quantize(Decimal("0.000001")) and exact.adjusted() < 15 if exact else True
    assert found == (exact if fits else "refused")


@pytest.mark.parametrize(
    ("cell", "text", "expected"),
    [
        (cells.SHARE, "62.5%", Decimal("62.5")),
        (cells.SHARE, "６２．５％", Decimal("62.5")),
        (cells.SHARE, "62.5", Decimal("62.5")),
        (cells.SHARE, "100.01", "refused"),
        (cells.SHARE, "62.555", "refused"),
        (cells.PEOPLE, "1.2万", 12000),
        (cells.PEOPLE, "1,200人", 1200),
        (cells.PEOPLE, "12.5", "refused"),
        (cells.LAND, "185公顷", Decimal("1.85")),
        (cells.LAND, "12亩", "refused"),
        (cells.KILOWATT, "1.25MW", Decimal(1250)),
        (cells.KILOWATT, "0", "refused"),
        (cells.KILOVOLT, "380V", Decimal("0.38")),
        (cells.NUMBER, "12万", "refused"),
        (cells.DAY, "2025年1月5日", date(2025, 1, 5)),
        (cells.DAY, "２０２５年１月５日", date(2025, 1, 5)),
        (cells.DAY, "2025.01.05", date(2025, 1, 5)),
        (cells.DAY, "2025.1.5", date(2025, 1, 5)),
        (cells.DAY, "2025/1/5", date(2025, 1, 5)),
        (cells.DAY, "2025年1月", "refused"),
        (cells.DAY, "2025-02-30", "refused"),
        (cells.DAY, "5/1/2025", "refused"),
        (cells.DAY, "45662", "refused"),
        (cells.MONTH, "2025年1月", date(2025, 1, 1)),
        (cells.MONTH, "2025.01", date(2025, 1, 1)),
        (cells.MONTH, "2025-01", date(2025, 1, 1)),
        (cells.MONTH, "2025/1", date(2025, 1, 1)),
        (cells.MONTH, "2025-01-01", date(2025, 1, 1)),
        (cells.MONTH, "2025.1", "refused"),
        (cells.MONTH, "2025-01-02", "refused"),
        (cells.PERIOD, "2025年3月", "2025-03"),
        (cells.PERIOD, "2025年1-2月", "2025-01..02"),
        (cells.PERIOD, "2025年1—9月", "2025-01..09"),
        (cells.PERIOD, "2025年一季度", "2025-Q1"),
        (cells.PERIOD, "2025年", "2025"),
        (cells.PERIOD, "2025.03", "refused"),
        (cells.INSTANT, "2025年1月5日", datetime(2025, 1, 4, 16, tzinfo=UTC)),
        (cells.INSTANT, "2025-01-05T10:00:00", "refused"),
        (cells.MINUTE, "8:30", 510),
        (cells.MINUTE, "24:00", 1440),
        (cells.MINUTE, "次日06:00", 1800),
        (cells.MINUTE, "24:01", "refused"),
        (cells.MINUTE, "08:60", "refused"),
        (cells.WEEKDAYS, "周一至周五", "12345"),
        (cells.WEEKDAYS, "周一、周三、周日", "137"),
        (cells.WEEKDAYS, "1-5", "12345"),
        (cells.WEEKDAYS, "每天", "1234567"),
        (cells.WEEKDAYS, "11", "refused"),
        (cells.WEEKDAYS, "8", "refused"),
        (cells.YES_NO, "是", True),
        (cells.YES_NO, "或许", "refused"),
        (cells.UNIT, "万元", "10k_cny"),
        (cells.USCC, " ９１310117ma1J00014t", "91310117MA1J00014T"),
        (cells.USCC, "9131O117MA1J00014T", "refused"),
        (cells.CODE, "3.10023E+11", "refused"),
        (cells.REGION, "３１０１１７", "310117"),
        (cells.LEGAL_BASIS, "行政", "administrative"),
    ],
)
def test_a_cell_reads_what_offices_write(cell: Cell, text: str, expected: Value) -> None:
    assert value(cell, text) == expected


def test_a_code_that_became_a_number_says_how_to_mend_it() -> None:
    with pytest.raises(ValueError, match="设为文本格式"):
        cells.USCC.parse("9.13101E+17")


@UNHURRIED
@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)))
def test_a_day_is_the_same_day_in_every_form(day: date) -> None:
    forms = ("{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0.year}/{0.month}/{0.day}", "{0.year}.{0.month}.{0.day}")
    for form in (*forms, "{0.year}年{0.month}月{0.day}日"):
        assert spelling.day(form.format(day)) == day
    for form in ("{0:%Y-%m}", "{0:%Y.%m}", "{0.year}/{0.month}", "{0.year}年{0.month}月", "{0.year}年{0:%m}月份"):
        assert spelling.month(form.format(day)) == day.replace(day=1)


@UNHURRIED
@given(st.text(min_size=1, max_size=40))
def test_any_text_gives_a_value_or_is_refused(text: str) -> None:
    for cell in ALL_CELLS:
        value(cell, text)


@UNHURRIED
@given(st.text(st.sampled_from("0123456789年月日.-/:,，。%％亿万元一二三四五六日至+ ７E"), min_size=1, max_size=12))
def test_any_digits_and_signs_give_a_value_or_are_refused(text: str) -> None:
    for cell in ALL_CELLS:
        value(cell, text)


def test_a_check_character_is_found_by_the_weights_that_the_template_uses() -> None:
    assert uscc.WEIGHTS == (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
