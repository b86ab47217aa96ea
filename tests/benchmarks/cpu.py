"""Whose processor time it was: that of each process, of the load generator, and of everybody else on the machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import psutil

OTHERS: Final = "others"
"""What ran on the machine and is none of the named processes: the kernel's share, this program, other people's work."""


class Meter:
    """Measures between entering and leaving; a process counts with all that it started and buried."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = dict(processes)
        self._before: dict[str, float] = {}
        self._busy_s = 0.0
        self._began_mono_s = 0.0
        self.passed_s = 0.0
        self.shares: dict[str, float] = {}
        """Cores, by name: 0.5 is half of one core. The sum of all is at most the number of cores."""

    def __enter__(self) -> Self:
        self._began_mono_s = time.monotonic()
        self._busy_s = _busy_s()
        self._before = {name: used_s(pid) for name, pid in self._processes.items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.passed_s = passed_s = time.monotonic() - self._began_mono_s
        used = {name: max(0.0, used_s(pid) - self._before[name]) for name, pid in self._processes.items()}
        used[OTHERS] = max(0.0, _busy_s() - self._busy_s - sum(used.values()))
        self.shares = {name: round(seconds / passed_s, 3) for name, seconds in used.items()}


def costs_us(shares: Mapping[str, float], per_s: float) -> dict[str, float]:
    """Return each process's microseconds of processor for one unit of ``per_s``, those of others left out.

    They hardly depend on who else was busy, as rates do.
    """
    return {name: round(share * 1e6 / per_s, 2) for name, share in shares.items() if name != OTHERS}


def used_s(pid: int) -> float:
    """Return the processor time of ``pid``, of its living children and of those that it has buried, in seconds."""
    total = 0.0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for member in family:
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _busy_s() -> float:
    times = psutil.cpu_times()
    # Guests' time stands in user time as well; stolen time is another machine's.
    return float(sum(times) - times.idle - times.iowait - times.steal - times.guest - times.guest_nice)
