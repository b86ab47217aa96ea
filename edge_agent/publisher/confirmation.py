"""What the warehouse has confirmed, and what is therefore to be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_agent.contract.command import SeqRange, Stored

AT_ONCE: Final = 1_000
"""Most messages that one look puts up for being sent again."""
_BEYOND_ALL: Final = (1 << 40) - 1


@dataclass(frozen=True, slots=True)
class Overdue:
    """Messages in ``ranges`` whose last sending was before ``before_mono_s`` are to be sent again.

    With ``tail`` also the last one that was sent: once it is stored, the confirmation reaches beyond every hole before
    it and lists them.
    """

    ranges: tuple[SeqRange, ...]
    before_mono_s: float
    tail: bool = False


class Confirmations:
    """Follows the confirmations of one epoch; lives longer than a connection."""

    def __init__(self, epoch: int, through: int, after_s: float, most_s: float, now_mono_s: float) -> None:
        self._epoch = epoch
        self._through = through
        self._missing: tuple[SeqRange, ...] = ()
        self._after_s = after_s
        self._most_s = most_s
        self._progress_mono_s = now_mono_s
        self._attempts = 0

    def renewed(self, epoch: int, now_mono_s: float) -> None:
        """Begin again with an epoch of which nothing was confirmed yet."""
        self._epoch, self._through, self._missing = epoch, 0, ()
        self.connected(now_mono_s)

    @property
    def through(self) -> int:
        """The largest number up to which everything is settled or missing."""
        return self._through

    @property
    def missing(self) -> tuple[SeqRange, ...]:
        """What the latest confirmation listed."""
        return self._missing

    def connected(self, now_mono_s: float) -> None:
        """A connection began: time without one was no silence of the warehouse."""
        self._progress_mono_s = now_mono_s
        self._attempts = 0

    def heard(self, stored: Stored, now_mono_s: float) -> bool:
        """Take a confirmation; True when it says something new about this epoch.

        An older one that arrives late changes nothing here.
        """
        if stored.epoch != self._epoch or stored.through < self._through:
            return False
        if (stored.through, stored.missing) == (self._through, self._missing):
            return False
        self._through, self._missing = stored.through, stored.missing
        self._progress_mono_s = now_mono_s
        self._attempts = 0
        return True

    def missed(self, now_mono_s: float) -> Overdue | None:
        """Return what the warehouse lists as missing and has had time to arrive."""
        return Overdue(self._missing, now_mono_s - self._after_s) if self._missing else None

    def unanswered(self, now_mono_s: float) -> Overdue | None:
        """Return what lies beyond the confirmations when these have stood still for the present patience.

        The patience is ``after_s``, doubled at every time this returned something to be sent.
        """
        patience_s = self._after_s
        for _ in range(self._attempts):
            patience_s = min(patience_s * 2, self._most_s)
        if now_mono_s - self._progress_mono_s < patience_s:
            return None
        return Overdue((SeqRange(self._through + 1, _BEYOND_ALL),), now_mono_s - patience_s, tail=True)

    def sent_again(self) -> None:
        """Note that what :meth:`unanswered` returned was not empty: be more patient next time."""
        self._attempts = min(self._attempts + 1, 64)
