"""Which registers are read together: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from edge_agent.sources.modbus.settings import Function
from edge_agent.sources.modbus.tags import Tag


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One read: ``count`` registers from ``address``, and the tags that lie in them, by address."""

    function: Function
    address: int
    count: int
    tags: tuple[Tag, ...]

    @property
    def shown(self) -> str:
        """The block in words for a person, with its address on the wire."""
        return f"{self.function} {self.address} … {self.address + self.count - 1}"


def plan(tags: Iterable[Tag], max_registers: int, max_gap: int) -> tuple[Block, ...]:
    """Return as few blocks as can hold every tag in exactly one of them.

    No block is longer than ``max_registers``, and none reads over more than ``max_gap`` registers in a row that no
    tag of it asks for.
    """
    blocks: list[Block] = []
    ordered = sorted(tags, key=lambda tag: (tag.function, tag.address, tag.end))
    for _, group in groupby(ordered, key=lambda tag: tag.function):
        together: list[Tag] = []
        end = 0
        for tag in group:
            # Greedy from the left is optimal: whatever fits to this block later fits to the next one as well.
            if together and (tag.address - end > max_gap or tag.end - together[0].address > max_registers):
                blocks.append(block_of(together))
                together, end = [], 0
            together.append(tag)
            end = max(end, tag.end)
        blocks.append(block_of(together))
    return tuple(blocks)


def block_of(tags: list[Tag]) -> Block:
    """Return the smallest block that holds ``tags``, which lie in one table and are sorted by address."""
    first = tags[0].address
    return Block(tags[0].function, first, max(tag.end for tag in tags) - first, tuple(tags))


def halves(block: Block) -> tuple[Block, Block]:
    """Cut a block of several tags in two: at its widest gap, of equal ones at that nearest to the middle."""
    middle = len(block.tags) / 2
    ends = [0]
    for tag in block.tags:
        ends.append(max(ends[-1], tag.end))
    cut = min(
        range(1, len(block.tags)),
        key=lambda at: (-max(0, block.tags[at].address - ends[at]), abs(at - middle)),
    )
    return block_of(list(block.tags[:cut])), block_of(list(block.tags[cut:]))
