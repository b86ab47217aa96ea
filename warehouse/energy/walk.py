"""What happened between the readings of one register: growth, rollover, exchange, reset, spike. Pure, integers only.

The walk goes forward once. Its state after any reading is the last good reading; what is not yet decided (suspects)
comes after it. So a walk that is taken up at the last good reading of an earlier one gives what a walk over all
readings gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.contract.errors import Misconfigured

HOUR_MS: Final = 3_600_000
CONFIRM: Final = 3
"""This many readings in a row that agree with each other, and not with the last good one, are the new truth."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a register showed, in least digits; ``doubt`` when the agent had any (quality other than good)."""

    t_ms: int
    counts: int
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """What a register can show: ``range`` readings from 0, growing by ``max_per_hour`` at most (``None``: unknown)."""

    range: int
    max_per_hour: int | None = None

    def __post_init__(self) -> None:
        if self.range < 2 or (self.max_per_hour is not None and self.max_per_hour < 1):
            raise Misconfigured(f"a register of range {self.range} and at most {self.max_per_hour} per hour cannot be")


@dataclass(frozen=True, slots=True)
class Change:
    """The register was exchanged or set anew: its last display before, its first after, in least digits.

    A reading at the very time of the change is of the new register.
    """

    at_ms: int
    old_end: int
    new_start: int


class Unknown(StrEnum):
    """Why the energy of a span cannot be told."""

    RESET = "reset"
    """The register fell, and nobody declared a change."""
    JUMP = "jump"
    """It rose faster than its maximum, and stayed there."""
    CONTRADICTED_CHANGE = "contradicted_change"
    """A change was declared that does not fit the readings around it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Growth of the register between two times; ``None`` with a reason when it cannot be told."""

    start_ms: int
    end_ms: int
    counts: int | None
    doubt: bool = False
    reason: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """Spans from the first to the last good reading without a hole, and what was left aside."""

    spans: tuple[Span, ...]
    set_aside: tuple[Reading, ...]
    """Spikes: readings that neither the ones before nor the ones after bear out."""
    unsettled: bool
    """Readings after the last good one disagree with it, and too few have come to decide."""
    last_good: dict[int, int]
    """Time of the last good reading by mark, as the readings before the mark tell it; no entry when there is none."""


def in_order(readings: Iterable[tuple[int, int, int]]) -> list[Reading]:
    """Return (time, counts, quality code) by time, one per time: the better quality, then the later given."""
    best: dict[int, tuple[int, int]] = {}
    for t_ms, counts, quality in readings:
        if t_ms not in best or quality <= best[t_ms][1]:
            best[t_ms] = (counts, quality)
    return [Reading(t_ms, best[t_ms][0], best[t_ms][1] != 0) for t_ms in sorted(best)]


def walk(
    readings: Sequence[Reading], register: Register, changes: Sequence[Change] = (), marks: Sequence[int] = ()
) -> Walk:
    """Go through ``readings`` (by time, one per time) and say what each step was worth.

    A step up within the maximum is growth. A step down is a rollover when it starts in the last tenth of the range,
    ends in the first and implies no more than the maximum; or what a declared change explains; otherwise the reading
    is a suspect. Suspects are set aside when a later reading follows from the last good one; ``CONFIRM`` that follow
    from each other are believed, and what lies between is unknown. Without a maximum no rise is a suspect. The first
    reading is taken as good.
    """
    return _Walker(register, changes).go(readings, sorted(marks))


class _Walker:
    def __init__(self, register: Register, changes: Sequence[Change]) -> None:
        self._register = register
        self._changes = sorted(changes, key=lambda change: change.at_ms)
        self._spans: list[Span] = []
        self._set_aside: list[Reading] = []
        self._suspects: list[Reading] = []
        """Readings after the last good one that do not follow from it, each following from the one before."""
        self._between: list[Span] = []
        """What lies between the suspects."""
        self._why = Unknown.RESET
        """Why the first suspect does not follow from the last good reading."""

    def go(self, readings: Sequence[Reading], marks: Sequence[int]) -> Walk:
        states: dict[int, int] = {}
        waiting = list(reversed(marks))
        last: Reading | None = None
        for reading in readings:
            while waiting and waiting[-1] <= reading.t_ms:
                mark = waiting.pop()
                if last is not None:
                    states[mark] = last.t_ms
            last = reading if last is None else self._step(last, reading)
        if last is not None:
            states |= dict.fromkeys(waiting, last.t_ms)
        return Walk(tuple(self._spans), tuple(self._set_aside), bool(self._suspects), states)

    def _step(self, last: Reading, reading: Reading) -> Reading:
        """Take one more reading; give the last good one after it."""
        legs = self._legs(last, reading)
        if not isinstance(legs, Unknown):
            self._spans += legs
            self._drop_suspects()
            return reading
        if self._suspects:
            following = self._legs(self._suspects[-1], reading)
            if isinstance(following, Unknown):
                self._drop_suspects()
            else:
                self._between += following
        if not self._suspects:
            self._why = legs
        self._suspects.append(reading)
        if len(self._suspects) < CONFIRM:
            return last
        self._spans += [Span(last.t_ms, self._suspects[0].t_ms, None, reason=self._why), *self._between]
        self._suspects.clear()
        self._between.clear()
        return reading

    def _drop_suspects(self) -> None:
        self._set_aside += self._suspects
        self._suspects.clear()
        self._between.clear()

    def _legs(self, before: Reading, after: Reading) -> list[Span] | Unknown:
        """Say what lies between two readings: one span, or one on each side of every declared change."""
        changes = [change for change in self._changes if before.t_ms < change.at_ms <= after.t_ms]
        doubt = before.doubt or after.doubt
        if not changes:
            grown = self._grown(before.counts, after.counts)
            if grown is None or self._too_fast(grown, before, after, 1):
                return Unknown.JUMP if after.counts >= before.counts else Unknown.RESET
            return [Span(before.t_ms, after.t_ms, grown, doubt)]
        legs: list[Span] = []
        t_ms, counts = before.t_ms, before.counts
        for at_ms, end, start in [*((c.at_ms, c.old_end, c.new_start) for c in changes), (after.t_ms, after.counts, 0)]:
            grown = self._grown(counts, end)
            if grown is None:
                return Unknown.CONTRADICTED_CHANGE
            if at_ms == t_ms:
                # A change at the reading's own time leaves no time for its part: that belongs to the span before.
                earlier = legs.pop()
                legs.append(Span(earlier.start_ms, at_ms, (earlier.counts or 0) + grown, doubt))
            else:
                legs.append(Span(t_ms, at_ms, grown, doubt))
            t_ms, counts = at_ms, start
        if self._too_fast(sum(leg.counts or 0 for leg in legs), before, after, 1 + len(changes)):
            return Unknown.CONTRADICTED_CHANGE
        return legs

    def _grown(self, before: int, after: int) -> int | None:
        if after >= before:
            return after - before
        if 10 * before >= 9 * self._register.range and 10 * after <= self._register.range:
            return self._register.range - before + after
        return None

    def _too_fast(self, grown: int, before: Reading, after: Reading, differences: int) -> bool:
        # Displays are cut off at their last digit, so that each difference may seem up to one count too large.
        most = self._register.max_per_hour
        return most is not None and (grown - differences) * HOUR_MS > most * (after.t_ms - before.t_ms)
