"""How the reads of a device follow from what it refuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sources.modbus.plan import Block, plan
from edge_agent.sources.modbus.reads import MAX_CUTS_PER_POLL, Reads
from edge_agent.sources.modbus.schedule import Backoff
from tests.edge_agent.sources.modbus.test_plan import tag

BACKOFF = Backoff(first_s=1.0, max_s=60.0)


def poll(reads: Reads, bad: set[int], now_s: float) -> tuple[set[int], int]:
    """Poll a device that refuses any read with an address of ``bad`` in it; return addresses read and requests."""
    got: set[int] = set()
    requests = 0
    todo = reads.begin(now_s)
    while todo:
        block = todo.pop(0)
        requests += 1
        if bad & set(range(block.address, block.address + block.count)):
            todo[:0] = reads.refused(block, f"{block.shown}: no", now_s, may_cut=True)
        else:
            reads.answered(block)
            got |= {tag.address for tag in block.tags}
    reads.end()
    return got, requests


@given(st.sets(st.integers(0, 59), min_size=1, max_size=40), st.sets(st.integers(0, 60), max_size=4))
def test_one_bad_address_takes_no_neighbour_down(addresses: set[int], bad: set[int]) -> None:
    reads = Reads(plan([tag(at) for at in addresses], 125, 8), BACKOFF)
    answerable = addresses - bad
    if not answerable:
        return
    got: set[int] = set()
    for now_s in range(0, 600, 60):
        got, requests = poll(reads, bad, float(now_s))
        assert requests <= len(addresses) + 2 * MAX_CUTS_PER_POLL
    assert got == answerable
    assert (reads.why is None) == (not bad & addresses)


def test_a_gap_that_is_refused_is_not_read_again() -> None:
    reads = Reads(plan([tag(0), tag(1), tag(4), tag(5)], 125, 8), BACKOFF)
    assert poll(reads, {2, 3}, 0.0) == ({0, 1, 4, 5}, 3)
    assert poll(reads, {2, 3}, 10.0) == ({0, 1, 4, 5}, 2)
    assert reads.why is None


def test_a_device_that_refuses_everything_keeps_its_blocks() -> None:
    reads = Reads(plan([tag(at) for at in range(100)], 125, 8), BACKOFF)
    before = reads.blocks
    got, requests = poll(reads, set(range(100)), 0.0)
    assert not got
    assert requests <= 2 * MAX_CUTS_PER_POLL + 1
    assert reads.blocks == before
    assert reads.begin(59.0) == []  # asked again after the longest back-off, not sooner
    assert poll(reads, set(), 60.0) == (set(range(100)), 1)
    assert reads.why is None


def silent(reads: Reads, dead: Block, now_s: float) -> list[Block]:
    """Poll a device that ignores one block; return the blocks that were answered."""
    got: list[Block] = []
    for block in reads.begin(now_s):
        if block is dead:
            reads.silent(block, "no answer", now_s, 0.0)
            break
        reads.answered(block)
        got.append(block)
    reads.end()
    return got


def test_a_block_that_is_ignored_does_not_silence_the_others() -> None:
    reads = Reads(plan([tag(0), tag(100), tag(200)], 125, 8), BACKOFF)
    first, second, third = reads.blocks
    assert silent(reads, first, 0.0) == []
    whys = [reads.why]  # nothing answered yet: the device is at fault, not the block
    assert silent(reads, first, 1.0) == [second, third]
    whys.append(reads.why)
    assert whys == [None, "no answer"]
    assert silent(reads, first, 1.4) == [second, third]
    assert reads.begin(1.4) == [second, third]  # set aside
    assert reads.begin(1.6) == [second, third, first]
