"""Readings of many messages can be taken apart and put together again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warehouse.sink.flat import Flat, Run, flatten, join

readings = st.lists(
    st.tuples(st.integers(0, 1 << 40), st.one_of(st.none(), st.integers(-3, 3), st.floats(-1, 1)), st.just(20)),
    min_size=1,
    max_size=3,
)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Run]:
    found: dict[str, Run] = {}
    for name in draw(st.lists(st.sampled_from("abc"), unique=True)):
        t, v, q = zip(*draw(readings), strict=True)
        found[name] = {"t": list(t), "v": list(v), "q": list(q)}
        if draw(st.booleans()):
            del found[name]["q"]
    return found


def content(flat: Flat) -> tuple[object, ...]:
    numbers = (flat.runs, flat.lengths, flat.t_ms, flat.q, flat.readings())
    return (*(one.tolist() for one in numbers), flat.values, flat.floats.tobytes())


@given(st.lists(messages(), max_size=6), st.data())
def test_taking_messages_out_is_flattening_those(sent: list[dict[str, Run]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(sent) - 1), max_size=8) if sent else st.just([]))
    assert content(flatten(sent).take(chosen)) == content(flatten([sent[one] for one in chosen]))


@given(st.lists(st.lists(messages(), max_size=3), max_size=4))
def test_joining_pieces_is_flattening_all(pieces: list[list[dict[str, Run]]]) -> None:
    assert content(join([flatten(piece) for piece in pieces])) == content(
        flatten([one for piece in pieces for one in piece])
    )
