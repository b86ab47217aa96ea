"""Grouping points into reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.birth import Kind, SeriesSpec
from edge_agent.sources.modbus.decode import Dtype, Layout
from edge_agent.sources.modbus.plan import Block, halves, plan
from edge_agent.sources.modbus.settings import Function
from edge_agent.sources.modbus.tags import Tag

SPEC = SeriesSpec(device="d", quantity="q", unit="", kind=Kind.GAUGE, interval_ms=1000)
SIZES = {1: Dtype.UINT16, 2: Dtype.UINT32, 4: Dtype.UINT64}


def tag(address: int, words: int = 1, function: Function = Function.HOLDING) -> Tag:
    return Tag(f"d.{function}.{address}", function, address, Layout(SIZES[words]), 1000, SPEC)


tags = st.lists(
    st.builds(tag, st.integers(0, 400), st.sampled_from([1, 2, 4]), st.sampled_from(Function)), min_size=1, max_size=60
)


def wanted(block: Block) -> set[int]:
    return {address for tag in block.tags for address in range(tag.address, tag.end)}


def widest_gap(block: Block) -> int:
    widest = run = 0
    registers = wanted(block)
    for address in range(block.address, block.address + block.count):
        run = 0 if address in registers else run + 1
        widest = max(widest, run)
    return widest


@given(tags, st.integers(4, 125), st.integers(0, 30))
def test_every_tag_stands_in_exactly_one_block_within_the_bounds(found: list[Tag], limit: int, gap: int) -> None:
    blocks = plan(found, limit, gap)
    placed = [id(tag) for block in blocks for tag in block.tags]
    assert sorted(placed) == sorted(id(tag) for tag in found)
    for block in blocks:
        assert block.count <= limit
        assert widest_gap(block) <= gap
        for tag in block.tags:
            assert tag.function is block.function
            assert block.address <= tag.address
            assert tag.end <= block.address + block.count
        assert block.address == min(wanted(block))
        assert block.address + block.count == max(wanted(block)) + 1


def fewest(found: list[Tag], limit: int, gap: int) -> int:
    """Count the blocks of the best of all partitions, by trying them."""
    if not found:
        return 0
    first, rest = found[0], found[1:]
    best = len(found)
    for chosen in range(1 << len(rest)):
        group = [first] + [tag for at, tag in enumerate(rest) if chosen >> at & 1]
        low, high = min(tag.address for tag in group), max(tag.end for tag in group)
        block = Block(first.function, low, high - low, tuple(group))
        if {tag.function for tag in group} == {first.function} and block.count <= limit and widest_gap(block) <= gap:
            best = min(best, 1 + fewest([tag for at, tag in enumerate(rest) if not chosen >> at & 1], limit, gap))
    return best


@given(
    st.lists(
        st.builds(tag, st.integers(0, 14), st.sampled_from([1, 2, 4]), st.sampled_from(Function)),
        min_size=1,
        max_size=6,
    ),
    st.integers(4, 9),
    st.integers(0, 3),
)
def test_no_partition_needs_fewer_reads(found: list[Tag], limit: int, gap: int) -> None:
    assert len(plan(found, limit, gap)) == fewest(found, limit, gap)


@given(tags, st.integers(4, 125), st.integers(0, 30))
def test_halves_hold_the_same_tags(found: list[Tag], limit: int, gap: int) -> None:
    for block in plan(found, limit, gap):
        if len(block.tags) > 1:
            left, right = halves(block)
            assert left.tags
            assert right.tags
            assert left.tags + right.tags == block.tags
            assert max(left.count, right.count) <= block.count


def test_a_block_is_cut_at_its_widest_gap() -> None:
    (block,) = plan([tag(0), tag(1), tag(5), tag(6), tag(7)], 125, 8)
    left, right = halves(block)
    assert (left.address, left.count, right.address, right.count) == (0, 2, 5, 3)


def test_without_a_gap_it_is_cut_in_the_middle() -> None:
    (block,) = plan([tag(at) for at in range(10)], 125, 0)
    left, right = halves(block)
    assert (left.count, right.count) == (5, 5)
