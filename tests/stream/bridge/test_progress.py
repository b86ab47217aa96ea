"""How far everything is done."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.bridge.progress import Progress
from stream.topics import Partition

PLACE = Partition("t", 0)


def test_it_stands_at_the_first_that_is_not_done() -> None:
    progress = Progress()
    for offset in (3, 5, 9):
        progress.begin(PLACE, offset)
    progress.passed(PLACE, 12)
    assert progress.safe() == {PLACE: 3}
    progress.done(PLACE, 5)
    assert progress.safe() == {PLACE: 3}
    progress.done(PLACE, 3)
    progress.done(PLACE, 3)
    assert progress.safe() == {PLACE: 9}
    progress.done(PLACE, 9)
    assert progress.safe() == {PLACE: 12}


def test_nothing_is_said_of_a_partition_that_was_not_read() -> None:
    progress = Progress()
    progress.done(PLACE, 1)
    assert progress.safe() == {}


@given(st.lists(st.integers(0, 50), unique=True), st.data())
def test_nothing_before_it_is_ever_undone(offsets: list[int], data: st.DataObject) -> None:
    progress = Progress()
    for offset in offsets:
        progress.begin(PLACE, offset)
    progress.passed(PLACE, 51)
    undone = set(offsets)
    for offset in data.draw(st.permutations(offsets)):
        progress.done(PLACE, offset)
        undone.discard(offset)
        assert progress.safe()[PLACE] == min(undone, default=51)
