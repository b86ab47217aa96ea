"""The fast decoder and the contract's model accept the same, refuse the same, and read the same."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.contract.errors import BadRecord
from edge_agent.contract.telemetry import MAX_READINGS, parse_batch
from stream.topics import TELEMETRY, Record
from warehouse.sink import intake
from warehouse.sink.decode import Identity, Telemetry, decode, identity, outline
from warehouse.sink.flat import Flat, flatten

DIGEST = "0123456789abcdef" * 2
GOOD = f'{{"v":1,"b":"{DIGEST}","epoch":7,"seq":5,"sent":1,"series":{{"a":{{"t":[1,2],"v":[1,2.5]}}}}}}'


def judged(payload: bytes) -> tuple[str, object]:
    """What the model says, in the decoder's terms."""
    try:
        batch = parse_batch(payload)
    except BadRecord as error:
        return "refused", error.reason
    runs = {name: (list(p.t), list(p.v), [int(q) for q in p.q or (0,) * len(p.t)]) for name, p in batch.series.items()}
    return "taken", (batch.b, batch.epoch, batch.seq, runs, batch.dropped, batch.readings)


def decoded(payload: bytes) -> tuple[str, object]:
    try:
        telemetry, flat = decode(payload)
    except BadRecord as error:
        return "refused", error.reason
    return "taken", content(telemetry, flat)


def content(found: Telemetry, flat: Flat, number: int = 0) -> object:
    """What a decoded message says, in the model's terms; its readings are those of message ``number`` in ``flat``."""
    run = int(flat.runs[:number].sum())
    at = int(flat.lengths[:run].sum())
    runs = {}
    for name in found.names:
        following = at + int(flat.lengths[run])
        values = [as_the_model(value) for value in flat.values[at:following]]
        assert flat.floats[at:following].tolist() == pytest.approx(
            [math.nan if value is None else float(value) for value in values], abs=0, rel=0, nan_ok=True
        )
        runs[name] = (flat.t_ms[at:following].tolist(), values, flat.q[at:following].tolist())
        run, at = run + 1, following
    return found.birth, found.epoch, found.seq, runs, found.dropped, int(flat.readings()[number])


def as_the_model(value: int | float | None) -> int | float | None:
    beyond = type(value) is int and not -(1 << 63) <= value < 1 << 63
    return float(value) if beyond and value is not None else value


def exactly(found: object) -> str:
    """Tell 1 from 1.0, True from 1 and 0.0 from -0.0."""
    return repr(found)


# Pieces of JSON text, so that repeated keys, odd numbers and odd spellings can be written.
numbers = st.one_of(
    st.integers(-2, 3).map(str),
    st.sampled_from(["0", "10", "20", "30", "100", "110", "1", "2", "5"]),
    st.sampled_from(
        [
            *("9007199254740991", "9007199254740992", "9223372036854775807", "9223372036854775808"),
            *("-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616"),
            *(
                "1.0",
                "-0",
                "-0.0",
                "1e5",
                "1E400",
                "-1e400",
                "1e-400",
                "0.1",
                "10.0",
                "NaN",
                "Infinity",
                "1099511627776",
            ),
            *(
                "true",
                "false",
                "null",
                '"1"',
                "[]",
                "[1]",
                "{}",
                "01",
                "1.",
                "0.30000000000000004",
                "123456789012345678901",
            ),
        ]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
)
plain_numbers = st.one_of(st.integers(0, 1 << 52).map(str), st.sampled_from(["0", "1", "2.5", "null"]))
lists = st.one_of(
    st.lists(plain_numbers, min_size=1, max_size=3), st.lists(numbers, max_size=3), st.just(["1", "2"])
).map(lambda items: f"[{','.join(items)}]")
anything = st.one_of(lists, numbers)
keys_of_points = st.sampled_from(["t", "v", "q", "t", "v", "\\u0074", "x"])
regular_points = st.builds(
    lambda n, q: f'{{"t":[{",".join(map(str, range(n)))}],"v":[{",".join(["1"] * n)}]{q}}}',
    st.integers(1, 3),
    st.sampled_from(["", ',"q":[]', ',"q":[0]', ',"q":[0,10]', ',"q":[true]', ',"q":null', ',"q":[100,1]']),
)
odd_points = st.lists(st.tuples(keys_of_points, anything), max_size=4).map(
    lambda pairs: "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
)
points = st.one_of(regular_points, odd_points, anything)
names = st.sampled_from(
    ["a", "b", "a.b-c_d", "t", "", ".a", "a\\n", "é", "\\u0061", "a:b", "true", "x" * 100, "x" * 101]
)
series = st.one_of(
    st.lists(st.tuples(names, points), max_size=3).map(
        lambda pairs: "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"
    ),
    anything,
)
dropped = st.sampled_from(
    [
        *("[]", '[[1,2,"corrupt",3]]', '[[1,9,"corrupt",3]]', '[[2,1,"corrupt",3]]', "null", '[[1,2.0,"corrupt",3]]'),
        *('[{"first":1,"last":2,"reason":"corrupt","readings":0}]', '[[1,2,"what",3]]'),
    ]
)
heads = {
    "v": st.sampled_from(["1", "1", "1", "1.0", "2", "true", '"1"', "null"]),
    "b": st.sampled_from(
        [f'"{DIGEST}"', f'"{DIGEST}"', f'"{DIGEST.upper()}"', f'"{DIGEST}\\n"', '"\\u00300"', "1", '""']
    ),
    "epoch": st.one_of(st.just("7"), numbers),
    "seq": st.one_of(st.just("5"), numbers),
    "sent": st.one_of(st.just("1"), numbers),
    "series": series,
}


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    pairs = [(key, draw(strategy)) for key, strategy in heads.items() if draw(st.integers(0, 29))]
    if draw(st.booleans()):
        pairs.append(("dropped", draw(dropped)))
    if draw(st.integers(0, 9)) == 0:
        key = draw(st.sampled_from([*heads, "x"]))
        pairs.insert(draw(st.integers(0, len(pairs))), (key, draw(heads.get(key, numbers))))
    space = draw(st.sampled_from(["", "", " ", "\n"]))
    body = ",".join(f'{space}"{key}":{value}' for key, value in pairs)
    return f"{space}{{{body}}}{space}".encode()


@given(messages())
@example(GOOD.encode())
@example(GOOD.replace('"series":{', '"series":{"a":{"t":["x"],"v":[1]},').encode())
@example(GOOD.replace('"series":{', '"series":{"a":{"t":[9],"v":[9]},').encode())
@example(GOOD.replace('"seq":5', '"seq":"x","seq":5').encode())
@example(GOOD.replace('"t":[1,2]', '"t":[true,2]').encode())
@example(GOOD.replace("[1,2.5]", "[18446744073709551615,null]").encode())
def test_the_decoder_and_the_model_agree_on_messages(payload: bytes) -> None:
    assert exactly(decoded(payload)) == exactly(judged(payload))


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xef\xbb\xbf" + GOOD.encode())
@example(GOOD.encode() + b"\0")
@example(b"[" * 100_000)
def test_the_decoder_and_the_model_agree_on_any_bytes(payload: bytes) -> None:
    assert exactly(decoded(payload)) == exactly(judged(payload))


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_the_decoder_and_the_model_agree_on_damaged_messages(at: int, put: bytes, cut: int) -> None:
    good = GOOD.encode()
    payload = good[:at] + put + good[at + cut :]
    assert exactly(decoded(payload)) == exactly(judged(payload))


@given(st.lists(messages(), max_size=4))
def test_many_at_once_are_judged_as_each_alone(payloads: list[bytes]) -> None:
    taken = intake.sort(
        Record(TELEMETRY.name, 0, offset, b"gw", payload, {}, 1) for offset, payload in enumerate(payloads)
    )
    verdicts = dict.fromkeys(range(len(payloads)), ("?", object()))
    assert taken.flat is not None
    for number, told in enumerate(taken.telemetry):
        verdicts[told.record.offset] = ("taken", content(told.telemetry, taken.flat, number))
    for bad in taken.refused:
        verdicts[bad.record.offset] = ("refused", bad.reason)
    assert exactly(list(verdicts.values())) == exactly([judged(payload) for payload in payloads])


def test_ordinary_messages_take_the_fast_path() -> None:
    found = outline(GOOD.encode())
    assert found is not None
    assert found.telemetry == Telemetry(DIGEST, 7, 5, ("a",))
    assert flatten([found.series]).values == [1, 2.5]


def test_the_limit_of_readings_is_the_models() -> None:
    for count in (MAX_READINGS, MAX_READINGS + 1):
        body: dict[str, Any] = json.loads(GOOD)
        body["series"]["a"] = {"t": list(range(count)), "v": [0] * count}
        payload = json.dumps(body).encode()
        assert exactly(decoded(payload)) == exactly(judged(payload))


def test_the_golden_messages_are_read_alike() -> None:
    folder = Path(__file__).parents[2] / "contract" / "vectors"
    vectors = [path for path in folder.rglob("*") if path.is_file()]
    assert vectors
    for path in vectors:
        payload = path.read_bytes()
        assert exactly(decoded(payload)) == exactly(judged(payload)), path


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (GOOD.replace("[1,2.5]", '["x"]').encode(), Identity(7, 5)),
        (GOOD.replace('"v":1', '"v":2').encode(), Identity(7, 5)),
        (GOOD.replace('"epoch":7', '"epoch":0').encode(), None),
        (GOOD.replace('"seq":5', '"seq":true').encode(), None),
        (GOOD.replace('"seq":5', '"seq":1099511627776').encode(), None),
        (GOOD[:-1].encode(), None),
        (b"[]", None),
    ],
)
def test_a_refused_message_keeps_its_name_where_it_can_be_read(payload: bytes, found: Identity | None) -> None:
    with pytest.raises(BadRecord):
        decode(payload)
    assert identity(payload) == found


def test_the_fast_path_is_not_slower_where_keys_are_in_another_order() -> None:
    body = json.loads(GOOD)
    for first, second in pairwise(sorted(body)):
        swapped = {second: body[second], first: body[first], **body}
        assert outline(json.dumps(swapped).encode()) is not None
