"""A line gives a reading or a refusal in words, and a register is exact."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.birth import check_value
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.quality import Quality
from edge_agent.sources import Reading
from edge_agent.sources.replay.rows import EARLIEST_MS, MAX_LINE_BYTES, RowParser, latest_ms, least_digits
from edge_agent.sources.replay.settings import RegisterText
from tests.edge_agent.sources.replay.journal import SPECS

NOW_MS = 1_760_000_000_000
REASONS = {"too_long", "columns", "time", "series", "number", "decimals", "quality"}
REASONS |= {"value_type", "register_range", "value_range"}


def parser(header: str = "t,series,value,quality", registers: RegisterText = RegisterText.DISPLAY) -> RowParser:
    return RowParser(header, SPECS, registers, latest_ms(NOW_MS))


times = st.integers(EARLIEST_MS, NOW_MS)
offsets = st.integers(-14 * 60, 14 * 60)
fragments = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["m.energy", "m.power", "m.run", "1", "12.34", "1e400", "nan", "-0", "１２", "1_0", "100", '"', ""]
    ),
    st.sampled_from(["2024-05-01T00:00:00+08:00", "2024-05-01", "0001-01-01T00:00:00+14:00", "1714493700000"]),
)


@given(st.lists(fragments, max_size=5), st.sampled_from(RegisterText))
def test_any_line_gives_a_sound_reading_or_a_known_refusal(fields: list[str], registers: RegisterText) -> None:
    refused: BadRecord | None = None
    try:
        reading = parser(registers=registers).parse(",".join(fields))
    except BadRecord as error:
        refused = error
    if refused is not None:
        assert refused.reason in REASONS
        assert "allowed" in refused.detail or refused.reason in {"register_range", "value_range"}
        return
    check_value(SPECS[reading.series], reading.value)
    assert EARLIEST_MS <= reading.t_ms <= latest_ms(NOW_MS)
    assert reading.value is not None or not reading.quality.usable


@given(st.integers(0, 99_999_999), times, st.sampled_from(Quality))
def test_a_register_comes_back_exactly(least: int, t_ms: int, quality: Quality) -> None:
    expected = Reading("m.energy", t_ms, least, quality)
    text = str(Decimal(least).scaleb(-2))
    assert parser().parse(f"{t_ms},m.energy,{text},{quality.value}") == expected
    whole = parser(registers=RegisterText.LEAST_DIGITS)
    assert whole.parse(f"{t_ms},m.energy,{least},{quality.value}") == expected


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9), st.integers(0, 6)
)
def test_least_digits_are_exact_or_refused(number: Decimal, decimals: int) -> None:
    scaled = number.scaleb(decimals)
    for text in (f"{number:f}", f"{number:E}", f"{number:f}00"):
        if scaled == int(scaled):
            assert least_digits(text, decimals) == int(scaled)
        else:
            with pytest.raises(BadRecord, match="decimals: found"):
                least_digits(text, decimals)


@given(st.floats(allow_nan=False, allow_infinity=False), times)
def test_a_gauge_comes_back_to_the_bit(value: float, t_ms: int) -> None:
    assert parser().parse(f"{t_ms},m.power,{value!r},").value == value


@given(times, offsets)
def test_iso_times_of_any_offset_are_the_same_moment(t_ms: int, offset_min: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t_ms)
    text = moment.astimezone(timezone(timedelta(minutes=offset_min))).isoformat()
    assert parser().parse(f"{text},m.run,1,").t_ms == t_ms


@given(times, st.sampled_from(["m.energy", "m.run"]), st.integers(0, 9), st.permutations(["t", "series", "value"]))
def test_what_a_csv_writer_quotes_is_read(t_ms: int, series: str, value: int, columns: list[str]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL)
    writer.writerow({"t": t_ms, "series": series, "value": value})
    found = parser(",".join(columns)).parse(text.getvalue().strip())
    assert (found.t_ms, found.series, found.value) == (t_ms, series, value * (100 if series == "m.energy" else 1))


GOOD_T = "2024-05-01T00:00:00+08:00"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{GOOD_T},m.energy,12.345,", "decimals: found '12.345'; allowed: at most 2 decimals"),
        (f"{GOOD_T},m.energy,1000000,", "register_range: 100000000 is outside 0 … 99999999"),
        (f"{GOOD_T},m.energy,-0.01,", "register_range: -1 is outside"),
        (f"{GOOD_T},m.energy,NaN,", "number: found 'NaN'; allowed: a decimal number"),
        (f"{GOOD_T},m.energy,１２,", "number: found '１２'"),
        (f"{GOOD_T},m.energy,1_0,", "number: found '1_0'"),
        (f"{GOOD_T},m.power,1e999,", "number: found '1e999'; allowed: a finite decimal number"),
        (f"{GOOD_T},m.run,1.0,", "number: found '1.0'; allowed: an integer"),
        (f"{GOOD_T},m.run,99999999999999999999,", "value_range:"),
        (f"{GOOD_T},m.power,,", "number: found no value; allowed: a number, or none with quality 100 or 110"),
        (f"{GOOD_T},m.power,1,7", "quality: found '7'; allowed: 0, 10, 20, 30, 100, 110"),
        (f"{GOOD_T},x.power,1,", "series: found 'x.power'; allowed: a series that this gateway declares"),
        (f"{GOOD_T},m.power,1,5,", "columns: found 5 columns; allowed: 4, as in the header"),
        ("2024-05-01T00:00:00,m.power,1,", "time: found '2024-05-01T00:00:00' without offset; allowed: with one"),
        ("01.05.2024,m.power,1,", "time: found '01.05.2024'; allowed: ISO 8601 with offset, or UTC ms"),
        ("1714493700,m.power,1,", "time: found '1714493700'; allowed: UTC ms or ISO 8601, 2000-01-01T00:00:00+00:00"),
        ("1714493700000000,m.power,1,", "time: found '1714493700000000'"),
        ("0001-01-01T00:00:00+14:00,m.power,1,", "time: found"),
        ("x" * (MAX_LINE_BYTES + 1), "too_long: found more than 4096 bytes"),
    ],
)
def test_a_bad_row_is_told_with_found_and_allowed(line: str, told: str) -> None:
    with pytest.raises(BadRecord) as caught:
        parser().parse(line)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize("header", ["", "t,series", "t,series,value,value", "t;series;value", "t,series,value,unit"])
def test_a_wrong_header_is_told(header: str) -> None:
    with pytest.raises(BadRecord, match=r"columns: found .* allowed: t,series,value"):
        parser(header)


def test_a_clock_that_was_never_set_refuses_no_row() -> None:
    unset = RowParser("t,series,value", SPECS, RegisterText.DISPLAY, latest_ms(0))
    assert unset.parse(f"{NOW_MS},m.power,1").t_ms == NOW_MS
