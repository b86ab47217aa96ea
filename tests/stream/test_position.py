"""Where reading begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.position import Start, Verdict, starting_point


@pytest.mark.parametrize(
    ("stored", "cut_at", "start"),
    [
        (None, None, Start(Verdict.NEW, 10)),
        (10, None, Start(Verdict.GOES_ON, 10)),
        (20, None, Start(Verdict.GOES_ON, 20)),
        (9, None, Start(Verdict.LOST, 10)),
        (21, None, Start(Verdict.CUT, None)),
        (15, 12, Start(Verdict.CUT, 12)),
        (15, 5, Start(Verdict.CUT, 10)),
        (25, 22, Start(Verdict.CUT, 20)),
        (15, 15, Start(Verdict.GOES_ON, 15)),
        (None, 12, Start(Verdict.NEW, 10)),
    ],
)
def test_in_a_log_from_10_to_20(stored: int | None, cut_at: int | None, start: Start) -> None:
    assert starting_point(stored, 10, 20, cut_at) == start


@given(st.none() | st.integers(0, 40), st.integers(0, 20), st.integers(0, 20), st.none() | st.integers(0, 40))
def test_it_always_lies_within_the_log_and_skips_nothing_that_is_there(
    stored: int | None, log_start: int, length: int, cut_at: int | None
) -> None:
    start = starting_point(stored, log_start, log_start + length, cut_at)
    if start.offset is None:
        assert stored is not None
        assert stored > log_start + length
        return
    assert log_start <= start.offset <= log_start + length
    assert start.offset <= max(log_start, log_start if stored is None else stored)
