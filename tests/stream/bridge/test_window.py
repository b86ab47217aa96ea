"""Bounds of what is in flight."""

from __future__ import annotations

from stream.bridge.routing import Outgoing
from stream.bridge.window import Ticket, Window


def ticket(size: int, read_mono_s: float = 0.0) -> Ticket:
    return Ticket(1, 1, 1, "t", Outgoing("t", b"key", bytes(size - 3), []), read_mono_s)


def test_it_is_full_at_the_message_bound_and_open_again_after_one_left() -> None:
    window = Window(2, 1_000_000)
    first, second = ticket(10), ticket(10)
    found = []
    for change, moved in ((window.enter, first), (window.enter, second), (window.leave, first)):
        change(moved)
        found.append(window.full)
    assert found == [False, True, False]
    assert (window.messages, window.bytes) == (1, 10)


def test_it_is_full_at_the_byte_bound_which_one_message_may_exceed() -> None:
    window = Window(100, 100)
    long = ticket(500)
    found = []
    for change, moved in ((window.enter, ticket(99)), (window.enter, long), (window.leave, long)):
        change(moved)
        found.append((window.full, window.bytes))
    assert found == [(False, 99), (True, 599), (False, 99)]


def test_it_knows_how_long_the_oldest_has_waited() -> None:
    window = Window(100, 100)
    assert window.oldest_s(50.0) == 0.0
    first, second = ticket(5, 10.0), ticket(5, 20.0)
    window.enter(first)
    window.enter(second)
    assert window.oldest_s(50.0) == 40.0
    window.leave(first)
    assert window.oldest_s(50.0) == 30.0
