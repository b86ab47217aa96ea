"""How wrong a gateway's clock is, measured on its states, and when that makes a fault; pure.

A state carries the agent's time and is sent at once, so its arrival at the bridge tells the clock's offset, less the
delay on the way. A delay only makes a clock seem behind, and one that lasts minutes is that of a queue being emptied:
then the states come one upon the other and each tells another offset. So a fault is believed (and stays) once two
states, ``CONFIRMED_MS`` apart at the bridge, tell the same offset, or once the agent itself tells of the step that
ended it; until then the next state that contradicts it takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from edge_agent.contract.birth import INT64_MAX
from edge_agent.contract.state import ClockStatus, State

TOLERANCE_MS: Final = 5_000
"""A clock is right within this, and a fault goes on while its offset stays within it."""
CONFIRMED_MS: Final = 30_000
"""Two states, so far apart at the bridge, that tell the same offset are no accident; agents tell every 60 s."""
STEP_TOLD_MS: Final = 1_200_000
"""An agent tells of a step again in every state of ten minutes; the same step within this time is the same."""


class Look(NamedTuple):
    """What one state tells of a clock."""

    at_ms: int
    """The agent's time, UTC milliseconds."""
    received_ms: int
    """When the bridge received it, UTC milliseconds."""
    status: ClockStatus
    step_ms: int | None

    @property
    def offset_ms(self) -> int:
        """How far the clock was ahead."""
        return self.at_ms - self.received_ms

    @property
    def right(self) -> bool:
        """True when the clock is neither off nor said to be unset."""
        return abs(self.offset_ms) <= TOLERANCE_MS and self.status is not ClockStatus.UNSYNCED


@dataclass(frozen=True, slots=True)
class Fault:
    """A time during which a clock was wrong; as a row of ``ingest.clock_fault``."""

    status: ClockStatus
    offset_ms: int
    lowest_ms: int
    highest_ms: int
    first_at_ms: int
    last_at_ms: int
    since_ms: int
    seen_ms: int
    until_ms: int | None = None
    step_ms: int | None = None
    fault_id: int | None = None
    """Its row; ``None`` when it has none yet."""

    @property
    def confirmed(self) -> bool:
        """True when it is believed."""
        return self.seen_ms - self.since_ms >= CONFIRMED_MS or self.step_ms is not None

    def same(self, look: Look) -> bool:
        """True when ``look`` tells of the same fault."""
        return (
            not look.right
            and abs(look.offset_ms - self.offset_ms) <= TOLERANCE_MS
            and (look.status is ClockStatus.UNSYNCED) == (self.status is ClockStatus.UNSYNCED)
        )


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one gateway's clock: the fault that goes on, and the last one that ended."""

    going_on: Fault | None = None
    ended: Fault | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What looks make of a course: faults to write down, and one to forget because it never was."""

    course: Course
    written: tuple[Fault, ...] = ()
    """Ended ones, in order."""
    forgotten: int | None = None
    """``fault_id`` of an unconfirmed fault that was contradicted."""


def look_of(state: State, received_ms: int) -> Look | None:
    """Return what ``state`` tells of the clock; ``None`` when it has no time, as a last will."""
    if state.at is None:
        return None
    status = ClockStatus.SYNCED if state.clock is None else state.clock.status
    step_ms = None if state.clock is None or status is not ClockStatus.STEPPED else state.clock.step_ms
    if step_ms is not None and abs(step_ms) > INT64_MAX:
        step_ms = None
    return Look(state.at, received_ms, status, step_ms)


def follow(course: Course, looks: Iterable[Look]) -> Change:
    """Return what ``looks``, in the order of their arrival, make of ``course``; ones older than it say nothing."""
    going_on, last = course.going_on, course.ended
    written: list[Fault] = []
    forgotten: int | None = None
    for look in looks:
        known_ms = max(
            -1 if going_on is None else going_on.seen_ms,
            -1 if last is None or last.until_ms is None else last.until_ms,
        )
        if look.received_ms < known_ms:
            continue
        if going_on is not None and going_on.same(look):
            going_on = _seen(going_on, look)
            continue
        if going_on is not None:
            ended = _end(going_on, look)
            if ended.confirmed:
                written.append(ended)
                last = ended
            elif going_on.fault_id is not None:
                forgotten = going_on.fault_id
        elif (stepped := _step_alone(last, look)) is not None:
            written.append(stepped)
            last = stepped
        going_on = None if look.right else _begin(look)
    return Change(Course(going_on, last), tuple(written), forgotten)


def _begin(look: Look) -> Fault:
    offset_ms = look.offset_ms
    return Fault(
        look.status, offset_ms, offset_ms, offset_ms, look.at_ms, look.at_ms, look.received_ms, look.received_ms
    )


def _seen(fault: Fault, look: Look) -> Fault:
    return replace(
        fault,
        lowest_ms=min(fault.lowest_ms, look.offset_ms),
        highest_ms=max(fault.highest_ms, look.offset_ms),
        last_at_ms=look.at_ms,
        seen_ms=look.received_ms,
    )


def _end(fault: Fault, look: Look) -> Fault:
    """End ``fault``; with the agent's word on the step when that accounts for what changed."""
    changed_ms = look.offset_ms - fault.offset_ms
    told = look.step_ms is not None and abs(look.step_ms - changed_ms) <= 2 * TOLERANCE_MS
    return replace(fault, until_ms=look.received_ms, step_ms=look.step_ms if told else None)


def _step_alone(last: Fault | None, look: Look) -> Fault | None:
    """Return the fault that only a step tells of: the clock was wrong before its first state, and is right now."""
    step_ms = look.step_ms
    if step_ms is None or abs(step_ms) <= TOLERANCE_MS or not look.right:
        return None
    if (
        last is not None
        and last.until_ms is not None
        and last.step_ms is not None
        and abs(last.step_ms - step_ms) <= 2 * TOLERANCE_MS
        and look.received_ms - last.until_ms <= STEP_TOLD_MS
    ):
        return None
    before = Look(look.at_ms - step_ms, look.received_ms, ClockStatus.STEPPED, step_ms)
    return replace(_begin(before), until_ms=look.received_ms, step_ms=step_ms)
