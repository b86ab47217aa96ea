"""Properties of the codec: what is written is read, and any bytes give a message or ``BadRecord``."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.birth import Birth, Carrier, Kind, SeriesSpec, check_value, parse_birth
from edge_agent.contract.command import SeqRange, Stored, parse_stored
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.quality import Quality
from edge_agent.contract.schema import MESSAGES
from edge_agent.contract.telemetry import Batch, Points, parse_batch
from edge_agent.contract.wire import MAX_MESSAGE_BYTES, compress, decode, decompress

names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,20}\Z")
times = st.integers(0, (1 << 53) - 1)
values = st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def points(draw: st.DrawFn) -> Points:
    t = draw(st.lists(times, min_size=1, max_size=5))
    v = draw(st.lists(values, min_size=len(t), max_size=len(t)))
    q = draw(st.one_of(st.just([]), st.lists(st.sampled_from(Quality), min_size=len(t), max_size=len(t))))
    return Points(t=tuple(t), v=tuple(v), q=tuple(q))


batches = st.builds(
    Batch,
    b=st.from_regex(r"\A[0-9a-f]{32}\Z"),
    epoch=st.integers(1, (1 << 53) - 1),
    seq=st.integers(1, (1 << 40) - 1),
    sent=times,
    series=st.dictionaries(names, points(), max_size=4),
)
registers = st.builds(
    SeriesSpec,
    device=st.text(min_size=1, max_size=10),
    quantity=st.just("active_energy_import"),
    unit=st.just("kWh"),
    kind=st.just(Kind.REGISTER),
    interval_ms=st.integers(1, 86_400_000),
    carrier=st.one_of(st.none(), st.sampled_from(Carrier)),
    decimals=st.integers(0, 9),
    range=st.integers(2, (1 << 63) - 1),
)
births = st.builds(Birth, gateway=st.just("gw-1"), series=st.dictionaries(names, registers, min_size=1, max_size=4))


@given(batches)
def test_a_batch_survives_the_wire(batch: Batch) -> None:
    assert parse_batch(batch.encode()) == batch


@given(births)
def test_a_birth_survives_the_wire_and_keeps_its_name(birth: Birth) -> None:
    again = parse_birth(birth.encode())
    assert again == birth
    assert again.digest() == birth.digest()


@given(st.one_of(st.binary(max_size=200), batches.map(lambda batch: batch.encode()[:-2]), st.text().map(str.encode)))
def test_any_bytes_give_a_message_or_bad_record(payload: bytes) -> None:
    reasons: set[str] = set()
    for model in MESSAGES.values():
        try:
            message = decode(model, payload)
        except BadRecord as refusal:
            reasons.add(refusal.reason)
        else:
            assert decode(model, message.encode()) == message
    assert reasons <= {"not_json", "version", "schema"}


@given(st.binary(max_size=500))
def test_compression_is_undone(payload: bytes) -> None:
    assert decompress(compress(payload), "gzip") == payload
    assert compress(payload) == compress(payload)


def test_a_compressed_bomb_is_refused_without_unpacking_it() -> None:
    bomb = gzip.compress(b"0" * (MAX_MESSAGE_BYTES + 1))
    assert len(bomb) < 5_000
    with pytest.raises(BadRecord, match="too_large"):
        decompress(bomb, "gzip")


@pytest.mark.parametrize(
    ("payload", "encoding", "reason"),
    [
        (b"x" * (MAX_MESSAGE_BYTES + 1), None, "too_large"),
        (b"plain", "gzip", "not_gzip"),
        (compress(b"plain")[:-1], "gzip", "not_gzip"),
        (compress(b"plain") + b"more", "gzip", "not_gzip"),
        (b"plain", "br", "encoding"),
    ],
)
def test_bad_encodings(payload: bytes, encoding: str | None, reason: str) -> None:
    with pytest.raises(BadRecord) as refusal:
        decompress(payload, encoding)
    assert refusal.value.reason == reason


def register(digits: int = 100) -> SeriesSpec:
    return SeriesSpec(device="m", quantity="e", unit="kWh", kind=Kind.REGISTER, interval_ms=1, decimals=0, range=digits)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (Kind.REGISTER, 99, None),
        (Kind.REGISTER, None, None),
        (Kind.REGISTER, 100, "register_range"),
        (Kind.REGISTER, -1, "register_range"),
        (Kind.REGISTER, 5.0, "value_type"),
        (Kind.STATE, 3, None),
        (Kind.STATE, True, "value_type"),
        (Kind.STATE, 1 << 63, "value_range"),
        (Kind.GAUGE, 2.5, None),
        (Kind.GAUGE, 2, None),
        (Kind.GAUGE, "2", "value_type"),
    ],
)
def test_values_suit_their_kind(kind: Kind, value: object, reason: str | None) -> None:
    spec = (
        register() if kind is Kind.REGISTER else SeriesSpec(device="m", quantity="x", unit="", kind=kind, interval_ms=1)
    )
    if reason is None:
        check_value(spec, value)
        return
    with pytest.raises(BadRecord) as refusal:
        check_value(spec, value)
    assert refusal.value.reason == reason


def test_what_makes_a_new_series() -> None:
    spec = register()
    changes: list[dict[str, object]] = [{"unit": "MWh"}, {"range": 1000}, {"decimals": 1}, {"meter": "42"}]
    for change in changes:
        assert spec.model_copy(update=change).identity() != spec.identity()
    kept: list[dict[str, object]] = [{"interval_ms": 5}, {"rated_max": 1.0}]
    for change in kept:
        assert spec.model_copy(update=change).identity() == spec.identity()


@given(st.sets(st.integers(1, 60)), st.integers(0, 60))
def test_a_confirmation_settles_exactly_what_is_not_missing(missing: set[int], through: int) -> None:
    gone = sorted(seq for seq in missing if seq <= through)
    stored = Stored(epoch=1, through=through, missing=tuple(SeqRange(seq, seq) for seq in gone))
    assert parse_stored(stored.encode()) == stored
    for seq in range(1, 62):
        assert stored.settles(seq) == (seq <= through and seq not in missing)
