"""What is made of a backlog and of rates."""

from __future__ import annotations

import pytest

from stream.lag import Pace, Standing, Track, estimate


def test_the_minutes_that_are_left_are_the_backlog_over_what_it_shrinks_by() -> None:
    found = estimate(lag_records=180_000, behind_s=3_600.0, in_per_s=50.0, out_per_s=1_050.0)
    assert found == Standing(Pace.CATCHING_UP, 180_000, 3_600.0, 50.0, 1_050.0, 3.0)
    assert found.told() == "catching up, 3 minutes left (正在追赶，约 3 分钟)"


@pytest.mark.parametrize(
    ("lag", "behind_s", "rate_in", "rate_out", "known", "pace", "told"),
    [
        (0, 0.0, 10.0, 10.0, True, Pace.UP_TO_DATE, "up to date (已追平)"),
        # What has just arrived is no backlog, however much it is.
        (5_000, 1.0, 5_000.0, 5_000.0, True, Pace.UP_TO_DATE, "up to date (已追平)"),
        (5_000, 60.0, 100.0, 100.0, True, Pace.FALLING_BEHIND, "falling behind, 60 s (正在落后)"),
        (5_000, 600.0, 100.0, 0.0, True, Pace.FALLING_BEHIND, "falling behind, 10 min (正在落后)"),
        (5_000, 600.0, 0.0, 0.0, False, Pace.BEHIND, "behind by 10 min (有积压)"),
        (10, 11.0, 0.0, 10.0, True, Pace.CATCHING_UP, "catching up, 1 minute left (正在追赶，约 1 分钟)"),
    ],
)
def test_what_is_told(
    lag: int, behind_s: float, rate_in: float, rate_out: float, known: bool, pace: Pace, told: str
) -> None:
    found = estimate(lag, behind_s, rate_in, rate_out, known=known)
    assert (found.pace, found.told()) == (pace, told)
    assert (found.minutes_left is not None) == (pace is Pace.CATCHING_UP)


def test_a_track_takes_rates_from_the_last_minute_only() -> None:
    track = Track(span_s=60.0)
    # Two minutes without a database: 100 come each second, none is done.
    paces = [track.add(10.0 * tick, 1_000 * tick, 0, 10.0 * tick).pace for tick in range(13)]
    assert paces == [Pace.UP_TO_DATE] * 2 + [Pace.FALLING_BEHIND] * 11
    # Then 600 are done each second.
    found = [track.add(120.0 + 10.0 * tick, 12_000 + 1_000 * tick, 6_000 * tick, 60.0) for tick in range(1, 3)]
    assert found[-1].pace is Pace.CATCHING_UP
    assert found[-1].lag_records == 2_000
    assert found[-1].in_per_s == 100.0
    assert found[-1].out_per_s == pytest.approx(200.0)
    assert found[-1].minutes_left == pytest.approx(2_000 / 100 / 60)


def test_another_log_has_another_pace() -> None:
    track = Track()
    track.add(0.0, 10_000, 9_000, 30.0)
    assert track.add(10.0, 20_000, 10_000, 30.0).pace is Pace.FALLING_BEHIND
    assert track.add(20.0, 500, 0, 30.0).pace is Pace.BEHIND
    assert track.add(30.0, 500, 100, 30.0).pace is Pace.CATCHING_UP
