"""What the states of a gateway tell of its clock."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.contract.state import Clock, ClockStatus, State
from warehouse.clock.faults import TOLERANCE_MS, Course, Fault, Look, follow, look_of

NOW = 1_790_000_000_000
MINUTE = 60_000
YEARS_26 = 26 * 365 * 86_400_000


def states(*ahead_ms: int, every_ms: int = MINUTE, status: ClockStatus = ClockStatus.SYNCED) -> list[Look]:
    """States, one a minute, of a clock that was ahead by so much."""
    return [
        Look(NOW + number * every_ms + ahead, NOW + number * every_ms, status, None)
        for number, ahead in enumerate(ahead_ms)
    ]


def faults(looks: list[Look], course: Course | None = None) -> list[tuple[int, bool]]:
    """Offset, and whether it ended, of every fault that is believed."""
    change = follow(course or Course(), looks)
    going_on = change.course.going_on
    found = [(fault.offset_ms, True) for fault in change.written]
    return found if going_on is None or not going_on.confirmed else [*found, (going_on.offset_ms, False)]


def test_a_right_clock_leaves_nothing() -> None:
    change = follow(Course(), states(0, -TOLERANCE_MS, 40, TOLERANCE_MS))
    assert change.course == Course()
    assert (change.written, change.forgotten) == ((), None)


def test_a_clock_that_was_never_set_is_wrong_until_ntp_comes() -> None:
    looks = states(-YEARS_26, -YEARS_26 - 200, -YEARS_26 + 100, 0)
    (fault,) = follow(Course(), looks).written
    assert (fault.offset_ms, fault.lowest_ms, fault.highest_ms) == (-YEARS_26, -YEARS_26 - 200, -YEARS_26 + 100)
    assert (fault.since_ms, fault.seen_ms, fault.until_ms) == (NOW, NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert (fault.first_at_ms, fault.last_at_ms) == (looks[0].at_ms, looks[2].at_ms)


def test_each_offset_is_a_fault_of_its_own() -> None:
    day = 86_400_000
    assert faults(states(day, day, -3_600_000, -3_600_000, -3_600_000)) == [(day, True), (-3_600_000, False)]


def test_a_queue_that_is_emptied_makes_no_fault() -> None:
    """After an outage of the bridge an hour of states comes within a second: each seems behind by another time."""
    delayed = [Look(NOW - behind * MINUTE, NOW + 60 - behind, ClockStatus.SYNCED, None) for behind in range(60, -1, -1)]
    assert faults(delayed) == []
    change = follow(Course(), delayed)
    assert change.course == Course()
    # And not one forgotten row is left when the first of them was written down.
    first = follow(Course(), delayed[:1]).course.going_on
    assert first is not None
    known = Fault(**{name: getattr(first, name) for name in Fault.__slots__} | {"fault_id": 7})
    assert follow(Course(known), delayed[1:]).forgotten == 7


def test_an_unset_clock_that_happens_to_be_right_is_told() -> None:
    assert faults(states(0, 0, status=ClockStatus.UNSYNCED)) == [(0, False)]


def test_a_step_tells_of_the_time_before_the_first_state_once() -> None:
    stepped = [Look(NOW + n * MINUTE, NOW + n * MINUTE, ClockStatus.STEPPED, YEARS_26) for n in range(10)]
    (fault,) = follow(Course(), stepped).written
    assert (fault.offset_ms, fault.step_ms) == (-YEARS_26, YEARS_26)
    later = [Look(NOW + 60 * MINUTE, NOW + 60 * MINUTE, ClockStatus.STEPPED, YEARS_26)]
    assert len(follow(Course(None, fault), [*stepped, *later]).written) == 1


def test_a_step_confirms_what_one_state_had_told() -> None:
    looks = [
        *states(-YEARS_26),
        Look(NOW + 5_000, NOW + 5_000, ClockStatus.STEPPED, YEARS_26 + 3),
        Look(NOW + 65_000, NOW + 65_000, ClockStatus.STEPPED, YEARS_26 + 3),
    ]
    (fault,) = follow(Course(), looks).written
    assert (fault.offset_ms, fault.step_ms, fault.until_ms) == (-YEARS_26, YEARS_26 + 3, NOW + 5_000)


def test_what_comes_late_or_has_no_time_says_nothing() -> None:
    going_on = follow(Course(), states(MINUTE, MINUTE)).course
    assert follow(going_on, states(0)).course == going_on
    assert look_of(State(online=False), NOW) is None
    huge = State(online=True, at=NOW, clock=Clock(status=ClockStatus.STEPPED, step_ms=1 << 70))
    assert look_of(huge, NOW) == Look(NOW, NOW, ClockStatus.STEPPED, None)


looks = st.lists(
    st.builds(
        Look,
        st.integers(0, (1 << 53) - 1),
        st.integers(NOW, NOW + 10 * MINUTE),
        st.sampled_from(ClockStatus),
        st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
    ),
    max_size=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks, st.integers(0, 12))
def test_any_states_in_any_parts_make_the_same_faults(found: list[Look], cut: int) -> None:
    found = sorted(found, key=lambda look: look.received_ms)
    whole = follow(Course(), found)
    first = follow(Course(), found[:cut])
    second = follow(first.course, found[cut:])
    assert second.course == whole.course
    assert (*first.written, *second.written) == whole.written
    assert all(fault.confirmed and fault.until_ms is not None for fault in whole.written)
