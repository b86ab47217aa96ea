"""What holds for every register: sums are exact, order does not matter, and a walk can be taken up anywhere."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from warehouse.energy.account import QUARTER_MS, Interval, Multiplier, Quality, account
from warehouse.energy.walk import Change, Reading, Register, Unknown, in_order, walk

RANGE = 10**8
FIVE_MS = 300_000
ONE = [Multiplier(0, None, Decimal("0.01"))]
STEPS = st.lists(st.tuples(st.integers(1, 3 * QUARTER_MS), st.integers(0, 5_000)), min_size=1, max_size=40)


@st.composite
def growing(draw: st.DrawFn) -> list[Reading]:
    """Readings of a register that only grows and rolls over; the first and the last at a quarter-hour."""
    steps = draw(STEPS)
    counts = draw(st.integers(0, RANGE - 1))
    t_ms = 0
    readings = [Reading(t_ms, counts)]
    for later_ms, grown in steps:
        t_ms += later_ms
        counts = (counts + grown) % RANGE
        readings.append(Reading(t_ms, counts))
    end_ms = -(-(t_ms + 1) // QUARTER_MS) * QUARTER_MS
    return [*readings, Reading(end_ms, counts)]


@st.composite
def anything(draw: st.DrawFn) -> list[Reading]:
    """Readings of a register to which anything happens: resets, spikes, jumps."""
    times = sorted(draw(st.sets(st.integers(0, 40 * QUARTER_MS), min_size=2, max_size=40)))
    level = draw(st.integers(0, RANGE - 1))
    readings = []
    for t_ms in times:
        event = draw(st.sampled_from(["grow"] * 6 + ["spike", "level"]))
        if event == "level":
            level = draw(st.integers(0, RANGE - 1))
        level = min(level + draw(st.integers(0, 50)), RANGE - 1)
        readings.append(Reading(t_ms, draw(st.integers(0, RANGE - 1)) if event == "spike" else level))
    return readings


@st.composite
def eventful(draw: st.DrawFn) -> tuple[list[Reading], list[Change]]:
    """Readings every five minutes of a register that grows, is exchanged (declared or not), and shows spikes."""
    counts = draw(st.integers(0, RANGE - 1))
    readings = [Reading(0, counts)]
    changes = []
    for place in range(1, draw(st.integers(6, 60))):
        t_ms = place * FIVE_MS
        happens = draw(st.sampled_from(["grow"] * 8 + ["silent", "spike", "exchange", "wrong exchange", "reset"]))
        if happens in ("exchange", "wrong exchange"):
            old_end = (counts + draw(st.integers(0, 5))) % RANGE
            counts = draw(st.integers(0, RANGE - 1))
            declared = old_end if happens == "exchange" else draw(st.integers(0, RANGE - 1))
            changes.append(Change(t_ms - draw(st.integers(0, FIVE_MS - 1)), declared, counts))
        elif happens == "reset":
            counts = draw(st.integers(0, RANGE - 1))
        counts = (counts + draw(st.integers(0, 50))) % RANGE
        if happens == "spike":
            readings.append(Reading(t_ms, draw(st.integers(0, RANGE - 1))))
        elif happens != "silent":
            readings.append(Reading(t_ms, counts))
    return readings, changes


def declared_jumps(changes: Sequence[Change], from_ms: int, to_ms: int) -> int:
    return sum(change.new_start - change.old_end for change in changes if from_ms < change.at_ms <= to_ms)


@given(eventful())
def test_what_is_known_and_declared_and_unknown_is_the_difference_of_the_register(
    told: tuple[list[Reading], list[Change]],
) -> None:
    readings, changes = told
    spans = walk(readings, Register(RANGE, 2_000), changes).spans
    shown = {reading.t_ms: reading.counts for reading in readings}
    total = jumps = unknown = 0
    for span in spans:
        if span.counts is None:
            # What it cannot tell lies between two readings, together with the changes that contradict them.
            unknown += shown[span.end_ms] - shown[span.start_ms]
        else:
            total += span.counts
            jumps += declared_jumps(changes, span.start_ms, span.end_ms)
    difference = shown[spans[-1].end_ms] - shown[spans[0].start_ms] if spans else 0
    assert (total + jumps + unknown) % RANGE == difference % RANGE


@given(eventful(), st.sampled_from([Decimal("0.01"), Decimal("0.6"), Decimal("123.456789")]))
def test_every_run_of_known_quarter_hours_is_worth_its_difference_exactly(
    told: tuple[list[Reading], list[Change]], per_count: Decimal
) -> None:
    readings, changes = told
    end_ms = readings[-1].t_ms // QUARTER_MS * QUARTER_MS
    ratios = [Multiplier(0, None, per_count)]
    made = account(readings, Register(RANGE, 2_000), ratios, changes, start_ms=0, end_ms=end_ms)
    used = {t_ms for span in made.walk.spans for t_ms in (span.start_ms, span.end_ms)}
    shown = {reading.t_ms: reading.counts for reading in readings if reading.t_ms in used}
    for known, run in itertools.groupby(made.intervals, lambda interval: interval.energy is not None):
        # Of the run, the part that begins and ends at readings that were believed.
        row = list(run)
        ends = [i.start_ms for i in row if i.start_ms in shown] + [
            e for e in [row[-1].start_ms + QUARTER_MS] if e in shown
        ]
        if known and len(ends) > 1:
            inside = [i for i in row if ends[0] <= i.start_ms < ends[-1]]
            grown = shown[ends[-1]] - shown[ends[0]] - declared_jumps(changes, ends[0], ends[-1])
            counts = sum(interval.counts or 0 for interval in inside)
            assert counts % RANGE == grown % RANGE
            assert sum((i.energy or Decimal(0) for i in inside), Decimal(0)) == counts * per_count
            for length_ms in (4 * QUARTER_MS, 96 * QUARTER_MS):
                assert sum(sums(inside, length_ms).values(), Decimal(0)) == counts * per_count


def sums(intervals: Iterable[Interval], length_ms: int) -> dict[int, Decimal]:
    """Sums by hour, or by day."""
    made: dict[int, Decimal] = defaultdict(Decimal)
    for interval in intervals:
        made[interval.start_ms // length_ms] += interval.energy or 0
    return made


@given(growing(), st.sampled_from([None, 10**14]))
@example([Reading(0, RANGE - 2), Reading(QUARTER_MS // 2, 3), Reading(QUARTER_MS, 3)], 400)
def test_the_sum_of_the_quarter_hours_is_the_difference_of_the_register(
    readings: list[Reading], max_per_hour: int | None
) -> None:
    end_ms = readings[-1].t_ms
    made = account(readings, Register(RANGE, max_per_hour), ONE, (), start_ms=0, end_ms=end_ms)
    assert [interval.quality for interval in made.intervals if interval.quality is Quality.UNKNOWN] == []
    total = sum(interval.counts or 0 for interval in made.intervals)
    assert total % RANGE == (readings[-1].counts - readings[0].counts) % RANGE
    assert sum((interval.energy or Decimal(0) for interval in made.intervals), Decimal(0)) == total * Decimal("0.01")


@given(anything(), st.integers(1, 40))
def test_what_is_known_and_what_is_unknown_fill_the_whole_time(readings: list[Reading], quarters: int) -> None:
    end_ms = quarters * QUARTER_MS
    made = account(readings, Register(RANGE, 2_000), ONE, (), start_ms=0, end_ms=end_ms)
    assert [interval.start_ms for interval in made.intervals] == list(range(0, end_ms, QUARTER_MS))
    spans = made.walk.spans
    assert all(before.end_ms == after.start_ms for before, after in itertools.pairwise(spans))
    for span in spans:
        if span.counts is not None:
            # Never more than the rated maximum, whatever the register did.
            assert span.counts >= 0
            assert (span.counts - 1) * 3_600_000 <= 2_000 * (span.end_ms - span.start_ms)


@given(anything(), st.integers(0, 40 * QUARTER_MS), st.lists(st.integers(0, 40 * QUARTER_MS), max_size=2, unique=True))
def test_a_walk_taken_up_at_a_mark_goes_on_as_if_it_had_never_stopped(
    readings: list[Reading], mark_ms: int, changes_ms: list[int]
) -> None:
    register = Register(RANGE, 2_000)
    changes = [Change(at_ms, RANGE // 2, 0) for at_ms in changes_ms]
    whole = walk(readings, register, changes, [mark_ms])
    if mark_ms not in whole.last_good:
        assert all(reading.t_ms >= mark_ms for reading in readings)
        return
    from_ms = whole.last_good[mark_ms]
    assert from_ms < mark_ms
    rest = walk([reading for reading in readings if reading.t_ms >= from_ms], register, changes)
    assert rest.spans == tuple(span for span in whole.spans if span.start_ms >= from_ms)
    assert rest.unsettled == whole.unsettled


@given(anything(), st.integers(0, 40 * QUARTER_MS))
def test_a_mark_depends_on_no_reading_after_it(readings: list[Reading], mark_ms: int) -> None:
    register = Register(RANGE, 2_000)
    before = [reading for reading in readings if reading.t_ms < mark_ms]
    assert walk(readings, register, marks=[mark_ms]).last_good == walk(before, register, marks=[mark_ms]).last_good


@given(growing(), st.randoms(use_true_random=False))
def test_the_order_and_the_repetition_of_readings_do_not_matter(readings: list[Reading], dice: random.Random) -> None:
    rows = [(reading.t_ms, reading.counts, 0) for reading in readings]
    shuffled = rows * 2
    dice.shuffle(shuffled)
    assert in_order(shuffled) == in_order(rows) == readings


@given(growing(), st.integers(1, 39))
def test_a_change_of_ratio_loses_no_count(readings: list[Reading], at_quarter: int) -> None:
    at_ms = at_quarter * QUARTER_MS + 12_345
    ratios = [Multiplier(0, at_ms, Decimal(10)), Multiplier(at_ms, None, Decimal(20))]
    end_ms = readings[-1].t_ms
    made = account(readings, Register(RANGE), ratios, (), start_ms=0, end_ms=end_ms)
    plain = account(readings, Register(RANGE), ONE, (), start_ms=0, end_ms=end_ms)
    assert sum(interval.counts or 0 for interval in made.intervals) == sum(
        interval.counts or 0 for interval in plain.intervals
    )


def test_a_display_that_is_cut_off_may_seem_one_count_too_fast() -> None:
    """At 400.00 an hour a second brings 11.1 counts: a display may show 12, and not 13."""
    register = Register(RANGE, 40_000)
    for grown, set_aside in ((12, 0), (13, 1)):
        readings = [Reading(0, 0), Reading(1_000, grown), Reading(900_000, grown)]
        assert len(walk(readings, register).set_aside) == set_aside


def test_a_rollover_that_is_too_fast_is_a_reset() -> None:
    readings = [Reading(0, RANGE - 1_000), *(Reading(place * 900_000, 10_000 + place) for place in (1, 2, 3))]
    assert [span.counts for span in walk(readings, Register(RANGE, 44_000)).spans] == [11_001, 1, 1]
    slow = walk(readings, Register(RANGE, 14_000)).spans
    assert [(span.counts, span.reason) for span in slow] == [(None, Unknown.RESET), (1, None), (1, None)]
