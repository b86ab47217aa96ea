"""Waits that grow and are random, so that many gateways do not come back at once."""

from __future__ import annotations

from collections.abc import Callable

Chance = Callable[[], float]
"""Returns a number from 0 up to 1, evenly."""


class Backoff:
    """Waits of up to ``first_s``, twice that, four times … and never above ``most_s``."""

    def __init__(self, first_s: float, most_s: float, chance: Chance) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._chance = chance
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def failed(self) -> float:
        """Return how many seconds to wait after one more failure, evenly spread up to the present bound."""
        bound_s = self._first_s
        for _ in range(self._failures):
            bound_s = min(bound_s * 2, self._most_s)
        self._failures = min(self._failures + 1, 64)
        return min(bound_s, self._most_s) * self._chance()

    def slow(self) -> float:
        """Return a wait for what only a person can mend: between half the longest wait and all of it."""
        self._failures = min(self._failures + 1, 64)
        return self._most_s * (0.5 + 0.5 * self._chance())

    def succeeded(self) -> None:
        """Begin again with short waits."""
        self._failures = 0
