"""One connection's talk, on a real outbox and a wire that remembers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.contract.birth import parse_birth
from edge_agent.contract.command import BirthRequest, Drain, SeqRange, Stored
from edge_agent.contract.errors import BadRecord, Retryable
from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.state import Clock, ClockStatus, Held, parse_state
from edge_agent.contract.topics import Channel, Command
from edge_agent.outbox.batches import Bounds as Limits
from edge_agent.outbox.intake import Compression
from edge_agent.publisher.announce import Portrait
from edge_agent.publisher.confirmation import Confirmations
from edge_agent.publisher.session import Bounds, Session
from edge_agent.settings import Publish
from tests.edge_agent.outbox.models import NOW_MS, birth, everything, gauges, opened
from tests.edge_agent.publisher.fakes import MovedClock, Wire

ONE_EACH = Limits(readings=1, payload_bytes=10_000)


class Bench:
    """An outbox whose messages carry one reading each, and sessions on it."""

    def __init__(self, path: Path, publish: Publish, window: int = 50) -> None:
        self.path = path
        self.publish = publish
        self.window = window
        self.clock = MovedClock()
        self.devices: dict[str, bool] = {}
        self.recorded = 0

    def __enter__(self) -> Bench:
        self._open = opened(self.path, bounds=ONE_EACH)
        self.outbox, self.intake, self.outflow = self._open.__enter__()
        self.intake.adopt(birth())
        self.confirmations = Confirmations(
            self.outflow.epoch, 0, self.publish.resend_after_s, self.publish.resend_max_s, self.clock.mono_s()
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._open.__exit__(None, None, None)

    def write(self, messages: int) -> None:
        self.intake.record([gauges(self.recorded, messages)])
        self.recorded += messages
        self.intake.compose(NOW_MS)

    def connect(
        self,
        again: tuple[int, ...] = (),
        payload_bytes: int | None = None,
        wire: Wire | None = None,
        *,
        subscribed: bool = True,
    ) -> tuple[Session, Wire]:
        wire = wire or Wire()
        self.outflow.limit(payload_bytes)
        session = Session(
            "gw-1",
            self.publish,
            self.outflow,
            wire,
            self.confirmations,
            self.portrait,
            self.clock,
            lambda: 1.0,
            Bounds(self.window, payload_bytes),
            again,
        )
        if subscribed:
            session.subscribed()
            self.clock.forward(0.25)
        return session, wire

    def portrait(self) -> Portrait:
        clock = Clock(status=ClockStatus.SYNCED)
        return Portrait("g60-edge/test", self.clock.utc_ms(), birth().digest(), clock, dict(self.devices))

    def stored(self, through: int, *missing: tuple[int, int]) -> bytes:
        gaps = tuple(SeqRange(*gap) for gap in missing)
        return Stored(epoch=self.outflow.epoch, through=through, missing=gaps).encode()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path / "o.db", Publish(settle_after_s=0)) as bench:
        yield bench


def acknowledge(session: Session, wire: Wire, reason_code: int = 0, first: int = 0) -> None:
    for sent in wire.sent[first:]:
        session.acknowledged(sent.packet_id, reason_code)


def test_births_come_first_then_the_state_then_events_then_telemetry(bench: Bench) -> None:
    bench.intake.record([gauges(1, 1)])
    bench.intake.adopt(birth(1))
    bench.intake.adopt(birth(0))
    bench.intake.compose(NOW_MS)
    bench.outflow.add_event(Event(kind=EventKind.STARTED, at=5))
    session, wire = bench.connect()
    session.pump()
    assert [sent.channel for sent in wire.sent] == ["birth", "state", "event", "backlog"]
    assert [sent.retain for sent in wire.sent] == [True, True, False, False]
    state = parse_state(wire.sent[1].payload)
    assert state.online
    assert state.held == Held(epoch=bench.outflow.epoch, first=1, last=1)
    assert (state.b, state.agent) == (birth().digest(), "g60-edge/test")


def test_births_of_held_messages_are_published_oldest_first_and_the_current_one_last(bench: Bench) -> None:
    bench.write(1)
    bench.intake.adopt(birth(1))
    session, wire = bench.connect()
    session.pump()
    births = [parse_birth(sent.payload) for sent in wire.on(Channel.BIRTH)]
    assert births == [birth(0), birth(1)]
    acknowledge(session, wire)

    session.told(Command.BIRTH, BirthRequest(b=birth(0).digest()).encode())
    session.pump()
    assert [parse_birth(sent.payload) for sent in wire.on(Channel.BIRTH)[2:]] == [birth(0), birth(1)]
    session.told(Command.BIRTH, BirthRequest(b=birth(1).digest()).encode())
    session.pump()
    assert [parse_birth(sent.payload) for sent in wire.on(Channel.BIRTH)[4:]] == [birth(1)], "the current one alone"
    session.told(Command.BIRTH, BirthRequest(b="0" * 32).encode())
    session.pump()
    assert len(wire.on(Channel.BIRTH)) == 7, "an unknown name: all there are"


def test_the_window_bounds_what_is_unacknowledged(bench: Bench) -> None:
    bench.write(120)
    session, wire = bench.connect()
    session.pump()
    session.pump()
    assert len(wire.sent) == 50
    for packet_id in range(1, 11):
        session.acknowledged(packet_id, 0)
    session.pump()
    assert len(wire.sent) == 50, "not before half of it is free"
    for packet_id in range(11, 26):
        session.acknowledged(packet_id, 0)
    session.pump()
    assert len(wire.sent) == 75
    assert [seq for _, seq in wire.telemetry()] == list(range(1, 74))
    assert len(everything(bench.path)) == 120, "an acknowledgement deletes nothing"


def test_live_goes_before_backlog_four_to_one(bench: Bench) -> None:
    bench.write(100)
    session, wire = bench.connect()
    bench.write(100)
    session.pump()
    lanes = [lane for lane, _ in wire.telemetry()]
    assert lanes[:10] == ["live"] * 4 + ["backlog"] + ["live"] * 4 + ["backlog"]
    assert [seq for lane, seq in wire.telemetry() if lane == "live"] == list(range(101, 101 + lanes.count("live")))
    assert [seq for lane, seq in wire.telemetry() if lane == "backlog"] == list(range(1, 1 + lanes.count("backlog")))


def test_a_refusal_counts_as_not_sent_and_is_tried_again_after_a_pause(bench: Bench) -> None:
    bench.write(3)
    session, wire = bench.connect()
    session.pump()
    assert len(wire.telemetry()) == 3
    acknowledge(session, wire, reason_code=16)
    session.pump()
    assert session.refused
    assert len(wire.telemetry()) == 3
    assert bench.outflow.unsent_after(0, 10) == [1, 2, 3], "the overflow policy may see them as never sent"
    assert len(everything(bench.path)) == 3

    bench.clock.forward(1.1)
    already = len(wire.sent)
    session.pump()
    assert wire.telemetry()[3:] == [("backlog", 1)], "one, to see whether somebody is there"
    acknowledge(session, wire, 0, already)
    session.pump()
    assert wire.telemetry()[4:] == [("backlog", 2), ("backlog", 3)]


def test_a_refused_sending_of_a_message_that_was_sent_before_stays_sent(bench: Bench) -> None:
    bench.write(1)
    bench.outflow.take([1], 0)
    session, wire = bench.connect(again=(1,))
    bench.clock.forward(5)
    session.pump()
    assert wire.telemetry() == [("backlog", 1)]
    acknowledge(session, wire, reason_code=135)
    session.pump()
    assert bench.outflow.unsent_after(0, 10) == []
    assert session.unacknowledged() == (1,)


def test_only_a_confirmation_deletes(bench: Bench) -> None:
    bench.write(5)
    session, wire = bench.connect()
    session.pump()
    acknowledge(session, wire)
    session.told(Command.STORED, bench.stored(4, (2, 2)))
    assert sorted(everything(bench.path)) == [2, 5]
    assert bench.confirmations.through == 4


def test_what_the_warehouse_misses_is_sent_again_on_the_backlog(bench: Bench) -> None:
    bench.write(5)
    session, wire = bench.connect()
    session.pump()
    acknowledge(session, wire)
    bench.clock.forward(10)
    session.told(Command.STORED, bench.stored(5, (2, 3)))
    session.pump()
    assert len(wire.telemetry()) == 5, "sent 10 s ago: it may be on its way"
    first = wire.telemetry()
    bench.clock.forward(20)
    session.pump()
    assert wire.telemetry()[len(first) :] == [("backlog", 2), ("backlog", 3)]
    again = [sent for sent in wire.on(Channel.BACKLOG) if sent.batch.seq == 2]
    assert again[0].payload == again[1].payload
    bench.clock.forward(29)
    session.pump()
    assert len(wire.telemetry()) == 7
    bench.clock.forward(5)
    acknowledge(session, wire)
    session.pump()
    assert len(wire.telemetry()) == 9


def test_what_is_not_confirmed_for_long_is_sent_again_with_growing_patience(bench: Bench) -> None:
    bench.write(3)
    session, wire = bench.connect()
    sendings: list[int] = []
    for second in range(400):
        session.pump()
        if len(wire.telemetry()) > 3 * len(sendings):
            assert [seq for _, seq in wire.telemetry()[-3:]] == [1, 2, 3]
            sendings.append(second)
        acknowledge(session, wire)
        bench.clock.forward(1)
    waits = [later - earlier for earlier, later in pairwise(sendings)]
    assert [30 <= waits[0] <= 35, 60 <= waits[1] <= 65, 120 <= waits[2] <= 125] == [True] * 3


def test_a_lost_connection_makes_the_next_one_send_again_what_was_unacknowledged(bench: Bench) -> None:
    bench.write(6)
    session, wire = bench.connect(wire=Wire(cut_after=6))
    with pytest.raises(Retryable, match="cut"):
        session.pump()
    assert [seq for _, seq in wire.telemetry()] == [1, 2, 3, 4], "after a birth and a state"
    session.acknowledged(3, 0)
    assert sorted(session.unacknowledged()) == [2, 3, 4, 5, 6]

    second, wire = bench.connect(again=session.unacknowledged(), subscribed=False)
    second.pump()
    assert wire.telemetry() == [], "first hear what was confirmed meanwhile"
    second.subscribed()
    second.told(Command.STORED, bench.stored(3))
    bench.clock.forward(0.25)
    second.pump()
    assert sorted(seq for _, seq in wire.telemetry()) == [4, 5, 6]
    assert second.unacknowledged() != ()
    acknowledge(second, wire)
    second.pump()
    assert second.idle


def test_a_broker_that_does_not_answer_the_subscription_gets_the_backlog_all_the_same(bench: Bench) -> None:
    bench.write(1)
    session, wire = bench.connect(subscribed=False)
    bench.write(1)
    session.pump()
    assert wire.telemetry() == [("live", 2)]
    assert session.throttled
    assert not session.idle
    bench.clock.forward(2)
    session.pump()
    assert wire.telemetry() == [("live", 2), ("backlog", 1)]


def test_an_acknowledgement_of_another_generation_means_nothing(bench: Bench) -> None:
    bench.write(1)
    session, _wire = bench.connect()
    session.acknowledged(99, 0)
    session.acknowledged(99, 16)
    session.pump()
    assert not session.refused


def test_drain_sets_the_rate_of_the_backlog_alone(bench: Bench) -> None:
    bench.write(100)
    session, wire = bench.connect()
    session.told(Command.DRAIN, Drain(messages_per_s=2).encode())
    assert session.throttled
    bench.write(20)
    for _ in range(100):
        session.pump()
        acknowledge(session, wire)
        bench.clock.forward(0.1)
    lanes = [lane for lane, _ in wire.telemetry()]
    assert lanes.count("live") == 20
    assert 19 <= lanes.count("backlog") <= 22, "ten seconds at two a second"
    session.told(Command.DRAIN, Drain().encode())
    for _ in range(3):
        session.pump()
        acknowledge(session, wire)
    assert len(wire.telemetry()) == 120


def test_a_message_too_long_for_the_broker_does_not_block_the_others(bench: Bench) -> None:
    bench.write(1)
    bench.outflow._database._connection.execute("UPDATE main.message SET payload_bytes = 5000 WHERE seq = 1")
    bench.write(2)
    session, wire = bench.connect(payload_bytes=1_000)
    session.pump()
    assert [seq for _, seq in wire.telemetry()] == [2, 3]
    assert sorted(everything(bench.path)) == [1, 2, 3]


def test_a_birth_that_is_too_long_is_compressed(bench: Bench) -> None:
    session, wire = bench.connect(payload_bytes=len(birth().encode()) - 1)
    session.pump()
    assert wire.on(Channel.BIRTH)[0].encoding == "gzip"
    session, wire = bench.connect(payload_bytes=10)
    session.pump()
    assert wire.on(Channel.BIRTH) == []


def test_compression_is_said_in_the_property(tmp_path: Path) -> None:
    with Bench(tmp_path / "o.db", Publish(compression=Compression.GZIP)) as bench:
        session, wire = bench.connect()
        session.pump()
        assert wire.on(Channel.BIRTH)[0].encoding == "gzip"
        assert wire.on(Channel.STATE)[0].encoding is None


def test_events_are_kept_until_somebody_takes_them(bench: Bench) -> None:
    bench.outflow.add_event(Event(kind=EventKind.STARTED, at=1))
    bench.outflow.add_event(Event(kind=EventKind.DEVICE_DOWN, at=2))
    bench.write(1)
    session, wire = bench.connect()
    session.pump()
    one, two = wire.on(Channel.EVENT)
    session.acknowledged(one.packet_id, 0)
    session.acknowledged(two.packet_id, 16)
    session.pump()
    assert not session.refused, "telemetry may well have somebody"
    assert len(wire.on(Channel.EVENT)) == 2
    bench.clock.forward(31)
    session.pump()
    assert [sent.payload for sent in wire.on(Channel.EVENT)[2:]] == [two.payload]


def test_a_state_follows_a_device_that_went_down(bench: Bench) -> None:
    session, wire = bench.connect()
    session.pump()
    bench.devices["press-1"] = False
    session.pump()
    assert len(wire.on(Channel.STATE)) == 1
    bench.clock.forward(1)
    session.pump()
    assert parse_state(wire.on(Channel.STATE)[1].payload).sources == {"press-1": "down"}
    for _ in range(60):
        bench.clock.forward(1)
        acknowledge(session, wire)
        session.pump()
    assert len(wire.on(Channel.STATE)) == 3, "and every 50 s without a change"


def test_a_broker_that_stops_acknowledging_is_given_up(bench: Bench) -> None:
    bench.write(1)
    session, _wire = bench.connect()
    session.pump()
    bench.clock.forward(59)
    assert not session.stalled()
    bench.clock.forward(2)
    assert session.stalled()


def test_what_is_no_command_is_refused(bench: Bench) -> None:
    session, _wire = bench.connect()
    for command in Command:
        with pytest.raises(BadRecord):
            session.told(command, b"{")
