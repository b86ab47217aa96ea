"""The pure parts: back-off, window, lanes, rate, confirmations, state, report."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import ClockWatch
from edge_agent.contract.command import SeqRange, Stored
from edge_agent.contract.state import Clock, ClockStatus, Held, State
from edge_agent.publisher import report
from edge_agent.publisher.announce import StateDue, farewell, will
from edge_agent.publisher.backoff import Backoff
from edge_agent.publisher.confirmation import Confirmations
from edge_agent.publisher.lanes import Lane, Lanes, Rate
from edge_agent.publisher.window import STALL_S, Window
from tests.edge_agent.publisher.fakes import MovedClock


def test_waits_double_up_to_their_bound_and_are_random() -> None:
    backoff = Backoff(2.0, 60.0, lambda: 1.0)
    assert [backoff.failed() for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    backoff.succeeded()
    assert backoff.failed() == 2
    half = Backoff(2.0, 60.0, lambda: 0.5)
    assert [half.failed(), half.failed()] == [1, 2]
    assert half.slow() == 45, "what a person must mend is tried slowly"


def test_the_window_counts_and_a_refusal_closes_it_to_one() -> None:
    window: Window[str] = Window(4, lambda: 1.0, pause_first_s=10.0)
    for packet_id in range(3):
        window.sent(packet_id, f"item {packet_id}", 0.0)
    assert (window.room(0.0), window.worthwhile(0.0), window.free) == (1, 0, 1)
    assert window.acknowledged(1) == "item 1"
    assert window.acknowledged(1) is None
    assert window.worthwhile(0.0) == 2, "half the window is free"
    assert window.refuse(0.0) == 10.0
    assert window.refuse(5.0) is None, "one pause at a time"
    assert (window.room(9.9), window.free) == (0, 2), "a state may still be sent"
    window.acknowledged(0)
    window.acknowledged(2)
    assert (window.room(10.0), window.worthwhile(10.0)) == (1, 1)
    assert window.refuse(10.0) == 20.0
    window.succeeded()
    assert window.room(10.0) == 4
    window.sent(9, "late", 10.0)
    assert not window.stalled(10.0 + STALL_S - 1)
    assert window.stalled(10.0 + STALL_S)
    assert window.under_way() == ["late"]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_lanes_use_all_the_room_and_keep_their_share(room: int, live: int, backlog: int) -> None:
    order = Lanes().deal(room, live, backlog)
    assert len(order) == min(room, live + backlog)
    assert order.count(Lane.LIVE) <= live
    assert order.count(Lane.BACKLOG) <= backlog
    if live >= room and backlog >= room:
        assert order.count(Lane.BACKLOG) == room // 5


def test_the_share_is_kept_over_many_small_deals() -> None:
    lanes = Lanes()
    order = [lane for _ in range(500) for lane in lanes.deal(1, 1, 1)]
    assert order.count(Lane.BACKLOG) == 100


def test_a_rate_saves_up_for_one_second_at_most() -> None:
    rate = Rate(10.0, 0.0)
    assert rate.allowance(50, 0.0) == 1
    assert rate.allowance(50, 0.5) == 6
    rate.spend(6)
    assert rate.allowance(50, 60.0) == 10
    rate.change(0.5)
    assert rate.allowance(50, 61.0) == 1
    rate.spend(1)
    assert [rate.allowance(50, 62.0), rate.allowance(50, 63.0)] == [0, 1]
    rate.change(None)
    assert rate.allowance(50, 63.0) == 50


def confirmed(through: int, *missing: tuple[int, int], epoch: int = 7) -> Stored:
    return Stored(epoch=epoch, through=through, missing=tuple(SeqRange(*gap) for gap in missing))


def test_confirmations_only_go_forward() -> None:
    found = Confirmations(7, 10, after_s=30.0, most_s=900.0, now_mono_s=0.0)
    assert not found.heard(confirmed(50, epoch=6), 1.0)
    assert not found.heard(confirmed(9), 1.0)
    assert found.heard(confirmed(20, (12, 13)), 1.0)
    assert not found.heard(confirmed(20, (12, 13)), 2.0)
    assert found.heard(confirmed(20), 3.0), "a hole that closed is progress"
    assert (found.through, found.missing) == (20, ())


def test_what_is_missing_goes_again_once_it_had_time_to_arrive() -> None:
    found = Confirmations(7, 0, after_s=30.0, most_s=900.0, now_mono_s=0.0)
    assert found.missed(100.0) is None
    found.heard(confirmed(20, (12, 13)), 100.0)
    overdue = found.missed(100.0)
    assert overdue is not None
    assert (overdue.ranges, overdue.before_mono_s) == ((SeqRange(12, 13),), 70.0)


def test_silence_is_answered_with_growing_patience() -> None:
    found = Confirmations(7, 5, after_s=30.0, most_s=100.0, now_mono_s=0.0)
    assert found.unanswered(29.0) is None
    overdue = found.unanswered(30.0)
    assert overdue is not None
    assert overdue.ranges[0].first == 6
    assert (overdue.before_mono_s, overdue.tail) == (0.0, True)
    found.sent_again()
    assert found.unanswered(59.0) is None
    assert found.unanswered(60.0) is not None
    found.sent_again()
    found.sent_again()
    assert found.unanswered(99.0) is None
    assert found.unanswered(100.0) is not None, "and never more than the bound"
    found.heard(confirmed(6), 100.0)
    assert found.unanswered(129.0) is None
    assert found.unanswered(130.0) is not None, "progress makes it impatient again"
    found.connected(1000.0)
    assert found.unanswered(1029.0) is None, "time without a connection is no silence"


def test_a_state_is_due_when_it_changed_or_is_old() -> None:
    def state(last: int, **sources: str) -> State:
        return State.model_validate(
            {"online": True, "held": Held(epoch=1, first=1, last=last), "sources": dict(sources)}
        )

    due = StateDue(50.0)
    assert due.due(state(1), 0.0)
    due.published(state(1), 0.0)
    assert not due.due(state(2), 49.0), "what is held is no change"
    assert due.due(state(2), 50.0)
    assert not due.due(state(1, meter="down"), 0.5)
    assert due.due(state(1, meter="down"), 1.0)


def test_the_last_will_knows_nothing_and_the_goodbye_everything() -> None:
    assert will() == State(online=False)
    state = State(online=True, at=5, held=Held(epoch=1, first=1, last=0))
    assert farewell(state) == State(online=False, at=5, held=Held(epoch=1, first=1, last=0))


def test_a_clock_is_synced_stepped_or_unsynced() -> None:
    clock = MovedClock()
    watch = ClockWatch(clock)
    assert watch.look() is None
    clock.forward(5)
    clock.offset_ms += 900
    assert watch.look() is None, "the discipline of the clock, not a step"
    assert watch.state() == Clock(status=ClockStatus.SYNCED)
    clock.offset_ms -= 5_000
    step = watch.look()
    assert step is not None
    assert step.step_ms == -5_000
    clock.forward(599)
    assert watch.state() == Clock(status=ClockStatus.STEPPED, step_ms=-5_000)
    assert watch.look() is None
    clock.forward(1)
    assert watch.state() == Clock(status=ClockStatus.SYNCED)
    clock.disciplined_now = False
    assert watch.state() == Clock(status=ClockStatus.UNSYNCED)
    clock.disciplined_now = None
    assert watch.state() == Clock(status=ClockStatus.SYNCED)
    clock.offset_ms = 0
    assert watch.state() == Clock(status=ClockStatus.UNSYNCED), "1970"


def test_a_report_counts_only_while_its_agent_lives(tmp_path: Path) -> None:
    path = report.path_beside(tmp_path / "outbox.db")
    assert report.read(path, 0) is None
    found = report.Report(os.getpid(), 1_000, connected=True, broker="b:1", since_ms=5)
    report.write(path, found)
    assert report.read(path, 2_000) == found
    assert report.read(path, 1_000 + 31_000) is None, "out of date"
    report.write(path, report.Report(2**22 + 1, 1_000, connected=True, broker="b:1", since_ms=5))
    assert report.read(path, 2_000) is None, "no such process"
    path.write_text("{", "utf-8")
    assert report.read(path, 2_000) is None


@pytest.mark.parametrize("capacity", [1, 2, 50])
def test_a_window_of_any_size_lets_the_first_message_go(capacity: int) -> None:
    window: Window[int] = Window(capacity, lambda: 0.0)
    assert window.worthwhile(0.0) == capacity
