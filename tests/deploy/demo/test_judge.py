"""The judge acquits the innocent and catches every loss, double, change and invention."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.demo.judge import Answered, Recorded, Row, Series, Verdict, judge

POWER = Series("gw-1", "m1.active_power")
ENERGY = Series("gw-1", "m1.active_energy_import")
OTHER = Series("gw-2", "m2.active_energy_import")
T0 = 1_790_000_000_000
PAST = [Recorded(series, T0 - (slot + 1) * 900_000, slot) for series in (ENERGY, OTHER) for slot in range(5)]
PAST_ROWS = [Row(record.series, record.t_ms, record.value) for record in PAST]


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Answered], list[Row]]:
    """An agent polls a meter over several connections; what it was answered last on each, only it knows."""
    answers: list[Answered] = []
    rows: list[Row] = []
    now = T0
    for series in (ENERGY, POWER):
        value = draw(st.integers(0, 5))
        for connection in range(draw(st.integers(1, 4))):
            polls = draw(st.integers(1, 8))
            for poll in range(polls):
                now += draw(st.integers(1, 1_200))
                value += draw(st.integers(0, 1))
                last = poll == polls - 1
                shown: int | float = value if series is ENERGY else value / 10
                answers.append(Answered(series, now, (1, connection), shown, followed=not last))
                lag = draw(st.integers(0, 40))
                if not last or draw(st.booleans()):
                    rows.append(Row(series, now + lag, shown))
                now += lag
    return answers, rows


def newest(answers: list[Answered], row: Row) -> Answered:
    before = [answer for answer in answers if answer.series == row.series and answer.at_ms <= row.t_ms]
    return max(before, key=lambda answer: answer.at_ms)


@given(stories(), st.randoms(use_true_random=False))
def test_the_innocent_are_acquitted(story: tuple[list[Answered], list[Row]], chance: Random) -> None:
    answers, rows = story
    shuffled = [*answers]
    chance.shuffle(shuffled)
    verdict = judge(shuffled, PAST, PAST_ROWS + rows)
    assert verdict.clean, verdict
    assert verdict.acquired == verdict.stored == len(rows) + len(PAST)
    assert verdict.backfilled == len(PAST)
    assert verdict.unfollowed == sum(not answer.followed for answer in answers)


@given(stories(), st.data())
def test_a_removed_row_is_lost(story: tuple[list[Answered], list[Row]], data: st.DataObject) -> None:
    answers, rows = story
    before = judge(answers, PAST, PAST_ROWS + rows)
    everything = PAST_ROWS + rows
    gone = data.draw(st.sampled_from(everything))
    verdict = judge(answers, PAST, [row for row in everything if row is not gone])
    demanded = gone in PAST_ROWS or newest(answers, gone).followed
    assert verdict.lost == demanded
    assert verdict.stored == before.stored - 1
    assert verdict.duplicated == verdict.mismatched == verdict.unexpected == 0


@given(stories(), st.data(), st.integers(0, 30))
def test_a_doubled_row_is_caught(story: tuple[list[Answered], list[Row]], data: st.DataObject, later: int) -> None:
    answers, rows = story
    everything = PAST_ROWS + rows
    again = data.draw(st.sampled_from(everything))
    assert judge(answers, PAST, [*everything, again]).duplicated == 1
    if again in rows:
        moved = replace(again, t_ms=again.t_ms + 1 + later)
        assert not judge(answers, PAST, [*everything, moved]).clean or not newest(answers, moved).followed


@given(stories(), st.data(), st.sampled_from([-1, 1, 0.001]))
def test_a_changed_value_is_caught(
    story: tuple[list[Answered], list[Row]], data: st.DataObject, change: int | float
) -> None:
    answers, rows = story
    everything = PAST_ROWS + rows
    at = data.draw(st.integers(0, len(everything) - 1))
    value = everything[at].value
    assert value is not None
    everything[at] = replace(everything[at], value=value + change)
    verdict = judge(answers, PAST, everything)
    assert verdict.mismatched == 1


@given(stories(), st.data(), st.sampled_from([10, 20, 100]))
def test_a_changed_quality_is_caught(
    story: tuple[list[Answered], list[Row]], data: st.DataObject, quality: int
) -> None:
    answers, rows = story
    everything = PAST_ROWS + rows
    at = data.draw(st.integers(0, len(everything) - 1))
    everything[at] = replace(everything[at], quality=quality)
    assert judge(answers, PAST, everything).mismatched == 1


@given(stories())
def test_what_stands_for_a_reading_is_told(story: tuple[list[Answered], list[Row]]) -> None:
    answers, rows = story
    told: list[Row] = []
    verdict = judge(answers, PAST, [*PAST_ROWS, *rows, Row(OTHER, T0 + 5, 3)], paired=told.append)
    assert sorted(told, key=repr) == sorted(PAST_ROWS + rows, key=repr)
    assert verdict.unexpected == 1


@given(stories(), st.data())
def test_an_invented_row_is_caught(story: tuple[list[Answered], list[Row]], data: st.DataObject) -> None:
    answers, rows = story
    t_ms = data.draw(st.integers(T0 + 100_000_000, T0 + 200_000_000))
    verdict = judge(answers, PAST, [*PAST_ROWS, *rows, Row(ENERGY, t_ms, 3)])
    assert verdict.unexpected == 1
    assert verdict.lost == 0


def answered(at: int, value: int, *, followed: bool = True, connection: int = 1) -> Answered:
    return Answered(ENERGY, T0 + at, (1, connection), value, followed=followed)


def row(at: int, value: int | None, quality: int = 0) -> Row:
    return Row(ENERGY, T0 + at, value, quality)


def test_what_is_still_under_way_is_not_demanded() -> None:
    answers = [answered(0, 7), answered(1000, 7), answered(2000, 7)]
    rows = [row(5, 7), row(2004, 7)]
    assert judge(answers, [], rows).lost == 1
    assert judge(answers, [], rows, until_ms=T0 + 900).clean
    assert judge(answers, [], rows, until_ms=T0 + 1000).lost == 1, "the later row must not pay for the earlier answer"
    assert judge(answers[:2], [], [row(5, 7), row(1004, 7), row(2004, 8)], until_ms=T0 + 1500).clean


def test_a_row_beyond_the_bound_comes_from_nobody() -> None:
    verdict = judge([answered(0, 7)], [], [row(5001, 7)])
    assert (verdict.lost, verdict.unexpected) == (1, 1)
    assert judge([answered(0, 7)], [], [row(5000, 7)]).clean


def test_a_row_before_its_answer_comes_from_nobody() -> None:
    assert judge([answered(10, 7)], [], [row(9, 7)]).unexpected == 1


def test_an_answer_given_late_to_a_connection_given_up_does_not_confuse() -> None:
    answers = [
        answered(0, 7, connection=2),
        answered(1, 7, followed=False, connection=1),
        answered(900, 8, connection=2),
    ]
    assert judge(answers, [], [row(3, 7), row(905, 8)]).clean


def test_registers_beyond_the_precision_of_floats_are_told_apart() -> None:
    large = 2**53
    assert judge([answered(0, large + 1)], [], [row(1, large)]).mismatched == 1
    assert judge([answered(0, large + 1)], [], [row(1, large + 1)]).clean


def test_a_row_without_a_value_is_counted_apart() -> None:
    verdict = judge([answered(0, 7)], [], [row(5, 7), row(1005, None, 100)])
    assert verdict.clean
    assert verdict.empty == 1


def test_examples_are_bounded_and_in_words() -> None:
    verdict = judge([answered(at * 1000, at) for at in range(100)], [], [])
    assert verdict.lost == 100
    assert len(verdict.examples["lost"]) == 20
    assert "gw-1/m1.active_energy_import" in verdict.examples["lost"][0]
    assert verdict.as_dict()["clean"] is False


@pytest.mark.parametrize("fault", ["lost", "duplicated", "mismatched", "unexpected"])
def test_each_fault_alone_is_a_verdict(fault: str) -> None:
    assert Verdict().clean
    assert not Verdict(**{fault: 1}).clean  # type: ignore[arg-type]
