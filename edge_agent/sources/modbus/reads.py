"""The reads of one job as experience changes them: a refused block is cut until the bad address stands alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.sources.modbus.plan import Block, halves
from edge_agent.sources.modbus.schedule import Backoff

MAX_CUTS_PER_POLL: Final = 16
"""Enough to find one bad address among 60 points in one poll; the rest is found at the next."""


@dataclass(slots=True)
class _Aside:
    failures: int
    retry_mono_s: float
    why: str


class Reads:
    """The blocks of one job, and which of them are set aside, until when and why.

    No clock, no network. The blocks of a poll that brought nothing at all stay as they were: then the device is at
    fault, not an address.
    """

    def __init__(self, blocks: Sequence[Block], backoff: Backoff) -> None:
        self._blocks = list(blocks)
        self._before = list(blocks)
        self._backoff = backoff
        self._aside: dict[Block, _Aside] = {}
        self._cuts = 0
        self._roots: list[Block] = []
        self._heard = self._brought = False
        self._last: Block | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks as they are read now."""
        return tuple(self._blocks)

    @property
    def why(self) -> str | None:
        """What is wrong with the blocks set aside, for a person; ``None`` when nothing is."""
        return "; ".join(aside.why for aside in self._aside.values()) or None

    def begin(self, now_mono_s: float) -> list[Block]:
        """Begin a poll: return the blocks to read, those that failed before at the end."""
        self._before = list(self._blocks)
        self._cuts, self._roots = 0, []
        self._heard = self._brought = False
        ready = [block for block in self._blocks if self._retry_mono_s(block) <= now_mono_s]
        return sorted(ready, key=lambda block: (block in self._aside, block is self._last))

    def answered(self, block: Block) -> None:
        """Note that ``block`` was answered with its registers."""
        self._heard = self._brought = True
        self._aside.pop(block, None)
        if self._last is block:
            self._last = None

    def refused(self, block: Block, why: str, now_mono_s: float, *, may_cut: bool) -> tuple[Block, ...]:
        """Note that ``block`` was refused, and return its halves when it is to be read in two instead.

        Else it is set aside for the longest back-off.
        """
        self._heard = True
        if may_cut and len(block.tags) > 1 and self._cuts < MAX_CUTS_PER_POLL:
            self._cuts += 1
            if block in self._before:
                self._roots.append(block)
            parts = halves(block)
            at = self._blocks.index(block)
            self._blocks[at : at + 1] = parts
            self._aside.pop(block, None)
            return parts
        self._aside[block] = _Aside(1, now_mono_s + self._backoff.max_s, why)
        return ()

    def silent(self, block: Block, why: str, now_mono_s: float, chance: float) -> None:
        """Note that ``block`` was not answered.

        When others of this poll were, only it is set aside, for its own back-off; else the device is silent as a
        whole, and the next poll begins with another block.
        """
        if self._heard:
            failures = self._aside[block].failures + 1 if block in self._aside else 1
            self._aside[block] = _Aside(failures, now_mono_s + self._backoff.after(failures, chance), why)
        else:
            self._last = block

    def end(self) -> None:
        """End a poll: cuts that brought nothing are undone."""
        if self._roots and not self._brought:
            refused = next((aside for block, aside in self._aside.items() if block not in self._before), None)
            self._blocks = list(self._before)
            self._aside = {block: aside for block, aside in self._aside.items() if block in self._before}
            if refused is not None:
                self._aside.update((root, refused) for root in self._roots)

    def _retry_mono_s(self, block: Block) -> float:
        return self._aside[block].retry_mono_s if block in self._aside else -math.inf
