"""When each job is due, and whose turn it is: no clock, no chance, no network; all three are told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``first_s`` to ``max_s``, each shortened by chance to between half and all of it."""

    first_s: float
    max_s: float

    def after(self, failures: int, chance: float) -> float:
        """Return the wait after the ``failures``-th failure in a row, from 1; ``chance`` lies in [0, 1)."""
        full = min(self.max_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return full * (0.5 + chance / 2)


def next_slot(start_mono_s: float, interval_s: float, now_mono_s: float) -> float:
    """Return the first of start + k × interval that lies after now: no drift, and what was missed is skipped.

    A slot that is less than a millionth of the interval ahead counts as now: floats put it on either side.
    """
    return start_mono_s + (math.floor((now_mono_s - start_mono_s) / interval_s + 1e-6) + 1) * interval_s


@dataclass(frozen=True, slots=True)
class Job:
    """What is polled together: the points of ``device`` that share an interval."""

    device: str
    unit_id: int
    interval_s: float


@dataclass(slots=True)
class _Unit:
    failures: int = 0
    retry_mono_s: float = -math.inf
    proven: bool = False

    @property
    def suspect(self) -> bool:
        """True until the unit has answered, and again when it stops answering."""
        return self.failures > 0 or not self.proven


class Timetable:
    """The jobs of one connection.

    A unit that does not answer is *suspect*: it waits out its own back-off, and between two attempts at suspects every
    job of a sound unit that is due has its turn. So a dead unit delays the others by one time-out at most.
    """

    def __init__(self, jobs: Sequence[Job], backoff: Backoff, start_mono_s: float) -> None:
        self._backoff = backoff
        self._start_mono_s = start_mono_s
        self._slot_mono_s = dict.fromkeys(jobs, start_mono_s)
        self._units = {job.unit_id: _Unit() for job in jobs}
        self._turn = 0
        self._last_turn = dict.fromkeys(jobs, 0)
        self._suspect_turn = 0

    def due_mono_s(self, job: Job) -> float:
        """Return when ``job`` may be polled next."""
        return max(self._slot_mono_s[job], self._units[job.unit_id].retry_mono_s)

    def next(self, now_mono_s: float) -> Job | float:
        """Return the job whose turn it is, or the moment when the next one is due."""
        due = [job for job in self._slot_mono_s if self.due_mono_s(job) <= now_mono_s]
        if not due:
            return min(self.due_mono_s(job) for job in self._slot_mono_s)
        waiting = [
            job for job in due if not self._units[job.unit_id].suspect and self._last_turn[job] < self._suspect_turn
        ]
        job = min(waiting or due, key=self.due_mono_s)
        self._turn += 1
        self._last_turn[job] = self._turn
        if self._units[job.unit_id].suspect:
            self._suspect_turn = self._turn
        return job

    def answered(self, job: Job, now_mono_s: float) -> None:
        """Note that the unit of ``job`` answered; the job is next due at its next slot."""
        unit = self._units[job.unit_id]
        unit.failures, unit.retry_mono_s, unit.proven = 0, -math.inf, True
        self.passed(job, now_mono_s)

    def passed(self, job: Job, now_mono_s: float) -> None:
        """Note that nothing was asked this time; the job is next due at its next slot."""
        self._slot_mono_s[job] = next_slot(self._start_mono_s, job.interval_s, now_mono_s)

    def silent(self, job: Job, now_mono_s: float, chance: float) -> None:
        """Note that the unit of ``job`` did not answer; all its jobs wait out the back-off, and stay due."""
        unit = self._units[job.unit_id]
        unit.failures += 1
        unit.retry_mono_s = now_mono_s + self._backoff.after(unit.failures, chance)
