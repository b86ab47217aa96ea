"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Doubles the wait from ``first_s`` up to ``most_s``, and spreads it so that many do not come back at once."""

    def __init__(self, first_s: float, most_s: float, chance: Callable[[], float] = random.random) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._chance = chance
        self.failures = 0

    def next_s(self) -> float:
        """Count a failure and return how long to wait: between half and all of the current step."""
        step_s = min(self._most_s, self._first_s * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return step_s * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """Begin again with the first step; something worked."""
        self.failures = 0
