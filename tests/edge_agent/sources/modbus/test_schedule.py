"""When a job is due, and whose turn it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sources.modbus.schedule import Backoff, Job, Timetable, next_slot

BACKOFF = Backoff(first_s=1.0, max_s=60.0)
times = st.floats(0, 1e6)


@given(times, st.sampled_from([0.01, 0.1, 1.0, 10.0, 900.0]), st.floats(0, 1e5))
def test_the_next_slot_lies_after_now_and_on_the_grid(start_s: float, interval_s: float, passed_s: float) -> None:
    now_s = start_s + passed_s
    slot_s = next_slot(start_s, interval_s, now_s)
    assert now_s < slot_s <= now_s + interval_s * (1 + 1e-5)
    steps = (slot_s - start_s) / interval_s
    assert abs(steps - round(steps)) < 1e-3


def test_a_schedule_does_not_drift_in_a_million_slots() -> None:
    slot_s = 1000.0
    for _ in range(1_000_000):
        slot_s = next_slot(1000.0, 0.1, slot_s)
    assert abs(slot_s - (1000.0 + 1_000_000 * 0.1)) < 1e-6


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_a_backoff_doubles_up_to_its_bound(failures: int, chance: float) -> None:
    wait_s = BACKOFF.after(failures, chance)
    full_s = min(60.0, 2.0 ** (failures - 1))
    assert full_s / 2 <= wait_s <= full_s


def test_missed_slots_are_skipped_not_caught_up() -> None:
    job = Job("d", 1, 10.0)
    table = Timetable([job], BACKOFF, 0.0)
    polled = []
    now_s = 0.0
    stalls = {20.0: 57.0}  # the poll at 20 s takes 57 s
    while now_s < 120:
        found = table.next(now_s)
        if isinstance(found, Job):
            polled.append(now_s)
            now_s += stalls.get(now_s, 0.5)
            table.answered(job, now_s)
        else:
            now_s = found
    assert polled == [0.0, 10.0, 20.0, 80.0, 90.0, 100.0, 110.0]


@given(st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_a_sound_device_waits_for_one_dead_one_at_most(dead: int, sound: int, chance: object) -> None:
    del chance
    timeout_s, answer_s, interval_s = 3.0, 0.01, 5.0
    jobs = [Job(f"dead-{at}", at, interval_s) for at in range(dead)]
    jobs += [Job(f"sound-{at}", 100 + at, interval_s) for at in range(sound)]
    table = Timetable(jobs, BACKOFF, 0.0)
    now_s, latest_s = 0.0, dict.fromkeys(jobs, 0.0)
    late_s: list[float] = []
    attempts = 0
    while now_s < 600:
        found = table.next(now_s)
        if not isinstance(found, Job):
            now_s = found
        elif found.device.startswith("dead"):
            attempts += 1
            now_s += timeout_s
            table.silent(found, now_s, 0.5)
        else:
            if latest_s[found]:
                late_s.append(now_s - max(latest_s[found] + interval_s, 0.0))
            now_s += answer_s
            table.answered(found, now_s)
            latest_s[found] = table.due_mono_s(found) - interval_s
    # One time-out, and the answers of the others.
    assert max(late_s) <= timeout_s + sound * answer_s + 1e-6
    assert attempts >= 600 / 90 * dead  # nor are the dead forgotten: each is asked once in its longest back-off or so


def test_a_unit_that_returns_keeps_its_slots() -> None:
    slow, fast = Job("d", 1, 900.0), Job("d", 1, 10.0)
    table = Timetable([slow, fast], BACKOFF, 0.0)
    assert table.next(0.0) == slow
    table.silent(slow, 3.0, 0.0)
    assert table.next(3.0) == 3.5  # both wait out the unit's back-off
    assert table.next(3.5) == slow  # still owed, though its slot is long gone
    table.answered(slow, 3.6)
    assert table.next(3.6) == fast
    table.answered(fast, 3.7)
    assert table.next(3.7) == 10.0
    assert table.due_mono_s(slow) == 900.0
