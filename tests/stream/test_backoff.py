"""Waiting longer each time, up to a bound."""

from __future__ import annotations

from stream.backoff import Backoff


def test_it_doubles_up_to_the_bound_and_begins_again_after_success() -> None:
    backoff = Backoff(1.0, 8.0, chance=lambda: 1.0)
    assert [backoff.next_s() for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, 8.0]
    backoff.reset()
    assert backoff.next_s() == 1.0


def test_chance_spreads_it_down_to_half() -> None:
    assert Backoff(4.0, 8.0, chance=lambda: 0.0).next_s() == 2.0


def test_it_does_not_overflow_after_years() -> None:
    backoff = Backoff(1.0, 30.0, chance=lambda: 1.0)
    backoff.failures = 10**9
    assert backoff.next_s() == 30.0
