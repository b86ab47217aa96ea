from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.quality import Quality
from edge_agent.contract.telemetry import Dropped, DropReason, parse_batch
from edge_agent.outbox.batches import Bounds, Entry, Written, compose, pack, storable, unpack

DIGEST = "0123456789abcdef0123456789abcdef"
entries = st.lists(
    st.tuples(
        st.sampled_from(["a.x", "a.y", "b.x"]),
        st.integers(0, 1 << 50),
        st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False, allow_infinity=False)),
        st.sampled_from(sorted(int(quality) for quality in Quality)),
    ),
    max_size=60,
)


def gap(seq: int) -> Dropped:
    return Dropped(seq, seq, DropReason.OVERFLOW_GAUGES, 1)


def composed(found: list[Entry], bounds: Bounds, dropped: deque[Dropped], first_seq: int = 1) -> list[Written]:
    return list(compose(found, digest=DIGEST, epoch=9, first_seq=first_seq, sent_ms=5, dropped=dropped, bounds=bounds))


@given(entries, st.integers(1, 20), st.integers(300, 2_000))
def test_messages_carry_every_reading_in_order_and_within_bounds(
    found: list[Entry], readings: int, payload_bytes: int
) -> None:
    written = composed(unpack(pack(found)), Bounds(readings, payload_bytes), deque())
    assert [one.seq for one in written] == list(range(1, len(written) + 1))
    carried: dict[str, list[tuple[int, object, int]]] = {}
    for one in written:
        batch = parse_batch(one.body)
        assert batch.encode() == one.body, "canonical bytes"
        assert (batch.epoch, batch.seq, batch.sent, batch.b) == (9, one.seq, 5, DIGEST)
        assert batch.readings == one.readings <= readings
        assert len(one.body) <= payload_bytes or one.readings == 1
        for name, points in batch.series.items():
            qualities = points.q or (Quality.GOOD,) * len(points.t)
            carried.setdefault(name, []).extend(zip(points.t, points.v, map(int, qualities), strict=True))
    wanted: dict[str, list[tuple[int, object, int]]] = {}
    for series, t_ms, value, quality in found:
        wanted.setdefault(series, []).append((t_ms, value, quality))
    assert carried == wanted


def test_reports_are_spread_over_messages_within_their_bound() -> None:
    bounds = Bounds(readings=10, payload_bytes=1_024)
    dropped = deque(gap(seq) for seq in range(1, 20, 2))
    written = composed([("a.x", t, 1, 0) for t in range(30)], bounds, dropped, first_seq=100)
    reported = [one.dropped for one in written]
    assert [len(report) for report in reported] == [4, 4, 2]
    assert [found for report in reported for found in report] == [gap(seq) for seq in range(1, 20, 2)]
    assert all(parse_batch(one.body).dropped == one.dropped for one in written)
    assert not dropped


def test_a_message_without_readings_carries_a_report_alone() -> None:
    (written,) = composed([], Bounds(10, 1_000), deque([gap(3)]), first_seq=4)
    assert parse_batch(written.body).series == {}
    assert written.dropped == (gap(3),)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1 << 63, True, "12", [1], -(1 << 63) - 1])
def test_what_no_message_can_carry_becomes_null_and_bad(value: object) -> None:
    assert storable(value, int(Quality.GOOD)) == (None, Quality.BAD)
    assert storable(value, int(Quality.OUT_OF_RANGE)) == (None, Quality.OUT_OF_RANGE)


@pytest.mark.parametrize("value", [None, 0, -1.5, (1 << 63) - 1])
def test_what_a_message_can_carry_is_left_alone(value: object) -> None:
    assert storable(value, int(Quality.UNCERTAIN)) == (value, Quality.UNCERTAIN)
