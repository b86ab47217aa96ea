"""Every reading is judged alone, and as the contract judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.contract.birth import INT64_MAX, Kind, SeriesSpec, check_value
from edge_agent.contract.errors import BadRecord
from warehouse.sink.decode import Telemetry
from warehouse.sink.flat import Run, flatten
from warehouse.sink.readings import AHEAD_MS, EARLIEST_MS, Columns, Legend, Message, Rejected, Series, gather

NOW = 1_790_000_000_000
values = st.one_of(
    st.none(),
    st.integers(-3, 12),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([INT64_MAX, INT64_MAX - 1, -INT64_MAX, -INT64_MAX - 1]),
    st.floats(allow_nan=False, allow_infinity=False),
)


Readings = tuple[list[int], list[int | float | None], list[int]]


def message(
    readings: dict[str, Readings], series: dict[str, Series], number: int = 7
) -> tuple[Message, dict[str, Run]]:
    runs: dict[str, Run] = {name: {"t": t, "v": v, "q": q} for name, (t, v, q) in readings.items()}
    return Message(Telemetry("0" * 32, 1, 1, tuple(runs)), Legend(series), number, NOW), runs


def gathered(*messages: tuple[Message, dict[str, Run]]) -> tuple[Mapping[Kind, Columns], Sequence[Rejected]]:
    found = gather([message for message, _ in messages], flatten([runs for _, runs in messages]))
    return found.columns, found.rejected


def judged(spec: SeriesSpec, value: float | None) -> str:
    try:
        check_value(spec, value)
    except BadRecord as error:
        return error.reason
    return ""


@given(st.sampled_from(Kind), st.integers(2, INT64_MAX), st.lists(values, min_size=1, max_size=5))
@example(Kind.REGISTER, 10, [9, 10, None, -1, 9.0])
@example(Kind.STATE, 10, [-(1 << 63), 1 << 62])
@example(Kind.GAUGE, 10, [(1 << 53) + 1])
def test_values_are_judged_as_the_contract_does(kind: Kind, range_: int, sent: list[int | float | None]) -> None:
    series = Series(5, kind, range_ if kind is Kind.REGISTER else None)
    columns, rejected = gathered(message({"a": ([NOW + i for i in range(len(sent))], sent, [])}, {"a": series}))
    reasons = [judged(series.spec(), value) for value in sent]
    assert [bad.reason for bad in rejected] == [reason for reason in reasons if reason]
    assert [bad.value for bad in rejected] == [value for value, reason in zip(sent, reasons, strict=True) if reason]
    found = columns.get(kind)
    # A gauge is kept as a float, whatever it was sent as.
    as_kept = float if kind is Kind.GAUGE else int
    kept = [
        None if value is None else as_kept(value) for value, reason in zip(sent, reasons, strict=True) if not reason
    ]
    if found is None:
        assert kept == []
        return
    missing = [False] * len(found) if found.missing is None else found.missing.tolist()
    assert [None if gone else value for value, gone in zip(found.v.tolist(), missing, strict=True)] == kept


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.sampled_from([0, 20, 100])), max_size=20))
def test_rows_are_sorted_and_none_is_lost(sent: list[tuple[int, int, int]]) -> None:
    series = {f"s{n}": Series(10 - n, Kind.GAUGE, None) for n in range(3)}
    messages = [
        message({f"s{n}": ([NOW + t], [float(number)], [q] if q else [])}, series, number)
        for number, (n, t, q) in enumerate(sent)
    ]
    columns, rejected = gathered(*messages)
    assert rejected == []
    expected = sorted((10 - n, NOW + t, number, q) for number, (n, t, q) in enumerate(sent))
    if not sent:
        assert columns == {}
        return
    found = columns[Kind.GAUGE]
    rows = list(
        zip(found.series_id.tolist(), found.t_ms.tolist(), found.message.tolist(), found.q.tolist(), strict=True)
    )
    assert rows == sorted(rows, key=lambda row: row[:2])
    assert sorted(rows) == expected
    assert found.v.tolist() == [float(row[2]) for row in rows]
    keys = [row[:2] for row in rows]
    assert found.repeated().tolist() == [keys.count(key) > 1 for key in keys]


def test_times_have_bounds_and_both_are_inside() -> None:
    times = [EARLIEST_MS - 1, EARLIEST_MS, NOW + AHEAD_MS, NOW + AHEAD_MS + 1]
    columns, rejected = gathered(message({"a": (times, [1] * 4, [])}, {"a": Series(1, Kind.GAUGE, None)}))
    assert columns[Kind.GAUGE].t_ms.tolist() == times[1:3]
    assert [(bad.t_ms, bad.reason) for bad in rejected] == [(times[0], "time_past"), (times[3], "time_future")]


def test_equal_zeros_are_equal_bytes() -> None:
    columns, _ = gathered(message({"a": ([NOW], [-0.0], [])}, {"a": Series(1, Kind.GAUGE, None)}))
    assert not np.signbit(columns[Kind.GAUGE].v[0])
