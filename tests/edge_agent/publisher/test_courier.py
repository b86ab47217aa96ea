"""The publisher's thread against a real Mosquitto, with the bridge played by paho."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from deploy.local.mosquitto import Mosquitto
from edge_agent.clock import ClockWatch, SystemClock
from edge_agent.contract.birth import parse_birth
from edge_agent.contract.command import BirthRequest, Drain, SeqRange, Stored
from edge_agent.contract.event import Event, EventKind
from edge_agent.contract.state import parse_state
from edge_agent.contract.topics import Channel, Command
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.intake import Compression, Intake
from edge_agent.outbox.outbox import Outbox
from edge_agent.publisher import report
from edge_agent.publisher.announce import Portrait
from edge_agent.publisher.courier import Courier
from edge_agent.publisher.identity import IdTaken
from edge_agent.publisher.mqtt import Address, tls_context
from edge_agent.settings import Publish
from tests.edge_agent.outbox.models import MANY_BYTES, birth, everything, gauges
from tests.edge_agent.publisher.bridge import SOON_S, Bridge, Heard, telemetry
from tests.edge_agent.publisher.tls import Encrypted, certificate
from tests.services.plugin import MakeMosquitto

PASSWORD: Final = "right"
QUICK: Final = Publish(resend_after_s=0.3, resend_max_s=2.0, settle_after_s=0)


class Gateway:
    """An outbox with a publisher's thread on it; messages carry one reading each."""

    def __init__(
        self,
        mosquitto: Mosquitto,
        path: Path,
        publish: Publish = QUICK,
        *,
        name: str | None = None,
        known: bool = True,
        bounds: Bounds | None = None,
    ) -> None:
        self.name = name or f"gw-{secrets.token_hex(4)}"
        self.mosquitto = mosquitto
        self.path = path
        self.birth = birth(gateway=self.name)
        if known:
            mosquitto.add_user(self.name, PASSWORD)
        self._publish = publish
        self._bounds = bounds or Bounds(1, 100_000)
        self._stack = ExitStack()
        self._recorded = 0
        self.intake: Intake
        self.courier: Courier
        self.thread: threading.Thread
        self.taken: IdTaken | None = None

    def __enter__(self) -> Gateway:
        outbox = self._stack.enter_context(Outbox(self.path, MANY_BYTES))
        self.intake = self._stack.enter_context(outbox.intake(self._bounds, self._publish.compression))
        self.intake.adopt(self.birth)
        address = Address(self.mosquitto.host, self.mosquitto.port, self.name, self.name, PASSWORD, None, 5, 5.0)
        clock = SystemClock()

        def portrait(watch: ClockWatch) -> Portrait:
            return Portrait("g60-edge/test", clock.utc_ms(), self.birth.digest(), watch.state(), {"m1": True})

        self.courier = Courier(self.name, address, 0.5, self._publish, outbox, portrait, clock, lambda: 0.5)
        return self

    def start(self) -> Gateway:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        self._stack.callback(self.stop)
        return self

    def use_client_id(self, client_id: str) -> None:
        self.courier._address = replace(self.courier._address, client_id=client_id)

    def _run(self) -> None:
        try:
            self.courier.run()
        except IdTaken as error:
            self.taken = error

    def stop(self) -> None:
        self.courier.stop(time.clock_gettime(time.CLOCK_BOOTTIME) + 2.0)
        self.thread.join(SOON_S)
        assert not self.thread.is_alive()

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, messages: int) -> None:
        self.intake.record([gauges(self._recorded, messages)])
        self._recorded += messages
        self.intake.compose(time.time_ns() // 1_000_000)
        if hasattr(self, "thread"):
            self.courier.wake()

    def stored(self, through: int, *missing: tuple[int, int]) -> Stored:
        return Stored(epoch=self.epoch, through=through, missing=tuple(SeqRange(*gap) for gap in missing))

    @property
    def epoch(self) -> int:
        return int(self.intake._database.rows("life")[0][0])

    def held(self) -> set[int]:
        return set(everything(self.path))

    def report(self) -> report.Report | None:
        return report.read(report.path_beside(self.path), time.time_ns() // 1_000_000)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_mono_s = time.monotonic() + SOON_S
        while not condition():
            assert time.monotonic() < deadline_mono_s
            time.sleep(0.02)


@pytest.fixture
def gateway(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(mosquitto, tmp_path / "o.db") as gateway:
        yield gateway


def test_an_acknowledgement_without_a_subscriber_loses_nothing(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Reason 16: Mosquitto took the messages and threw them away."""
    caplog.set_level(logging.WARNING)
    gateway.write(3)
    gateway.start()
    gateway.until(lambda: "publisher.refused" in caplog.text)
    assert "reason=16" in caplog.text
    gateway.until(lambda: (found := gateway.report()) is not None and found.connected)
    assert gateway.held() == {1, 2, 3}
    with Bridge(gateway.mosquitto, gateway.name) as bridge:
        heard = bridge.until_seqs(1, 2, 3)
        assert {found.channel for found in heard} == {Channel.BACKLOG}
        assert gateway.held() == {1, 2, 3}, "an acknowledgement with reason 0 deletes nothing either"
        bridge.tell(Command.STORED, gateway.stored(3))
        gateway.until(lambda: gateway.held() == set())


def test_what_is_missing_is_sent_again_with_the_same_bytes(gateway: Gateway) -> None:
    with Bridge(gateway.mosquitto, gateway.name) as bridge:
        gateway.write(5)
        gateway.start()
        first = {found.batch.seq: found.payload for found in bridge.until_seqs(1, 2, 3, 4, 5)}
        bridge.forget()
        bridge.tell(Command.STORED, gateway.stored(5, (2, 3)))
        again = bridge.until_seqs(2, 3)
        assert {found.channel for found in again} == {Channel.BACKLOG}
        assert {found.batch.seq for found in again} == {2, 3}
        assert all(found.payload == first[found.batch.seq] for found in again)
        assert gateway.held() == {2, 3}
        bridge.tell(Command.STORED, gateway.stored(5))
        gateway.until(lambda: gateway.held() == set())


def test_what_nobody_confirms_is_sent_again(gateway: Gateway) -> None:
    with Bridge(gateway.mosquitto, gateway.name) as bridge:
        gateway.write(2)
        gateway.start()
        bridge.until(lambda heard: [found.batch.seq for found in telemetry(heard)].count(2) >= 3)


def test_births_come_before_what_refers_to_them_and_again_when_asked_for(gateway: Gateway) -> None:
    with Bridge(gateway.mosquitto, gateway.name) as bridge:
        gateway.write(1)
        gateway.start()
        bridge.until_seqs(1)
        channels = [found.channel for found in bridge.heard(*Channel)]
        assert channels[:3] == [Channel.BIRTH, Channel.STATE, Channel.BACKLOG]
        assert parse_birth(bridge.heard(Channel.BIRTH)[0].payload) == gateway.birth
        bridge.forget()
        bridge.tell(Command.BIRTH, BirthRequest(b="0" * 32))
        bridge.until(lambda heard: any(found.channel is Channel.BIRTH for found in heard))
    with Bridge(gateway.mosquitto, gateway.name) as late:
        late.until(lambda heard: {Channel.BIRTH, Channel.STATE} <= {found.channel for found in heard if found.retained})


def test_live_messages_overtake_a_backlog_that_is_held_back(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with Gateway(mosquitto, tmp_path / "o.db", Publish()) as gateway, Bridge(mosquitto, gateway.name) as bridge:
        bridge.tell(Command.DRAIN, Drain(messages_per_s=20))
        gateway.write(60)
        gateway.start()
        bridge.until(lambda heard: len(telemetry(heard)) >= 5)
        gateway.write(5)
        heard = bridge.until_seqs(*range(61, 66))
        assert {found.channel for found in heard if found.batch.seq > 60} == {Channel.LIVE}
        assert len(heard) < 60, "the backlog is not through yet"
        backlog = [found for found in bridge.until_seqs(*range(1, 61)) if found.channel is Channel.BACKLOG]
        assert backlog[-1].at_mono_s - backlog[0].at_mono_s >= (60 - 20) / 20, "saved up for one second at most"


def test_a_restart_of_the_broker_loses_nothing(own_mosquitto: MakeMosquitto, tmp_path: Path) -> None:
    mosquitto = own_mosquitto()
    with Gateway(mosquitto, tmp_path / "o.db") as gateway, Bridge(mosquitto, gateway.name) as bridge:
        gateway.write(10)
        gateway.start()
        bridge.until_seqs(*range(1, 11))
        bridge.tell(Command.STORED, gateway.stored(10))
        gateway.until(lambda: gateway.held() == set())
        mosquitto.kill()
        gateway.write(20)
        gateway.until(lambda: (found := gateway.report()) is not None and not found.connected)
        mosquitto.start()
        bridge.until_again(2)
        heard = bridge.until_seqs(*range(11, 31))
        assert {found.channel for found in heard if found.batch.seq > 10} == {Channel.BACKLOG}
        gateway.write(1)
        assert bridge.until_seqs(31)[-1].channel is Channel.LIVE
        bridge.tell(Command.STORED, gateway.stored(31))
        gateway.until(lambda: gateway.held() == set())


def test_a_wrong_password_is_said_and_tried_again(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Gateway(mosquitto, tmp_path / "o.db", known=False) as gateway:
        gateway.write(1)
        gateway.start()
        gateway.until(lambda: "publisher.not_allowed" in caplog.text)
        assert "用户名或密码错误" in caplog.text
        assert "check mqtt.user and mqtt.password" in caplog.text
        gateway.until(lambda: (found := gateway.report()) is not None and "not allowed" in found.trouble)
        mosquitto.add_user(gateway.name, PASSWORD)
        with Bridge(mosquitto, gateway.name) as bridge:
            bridge.until_seqs(1)


def test_nobody_there_is_said_and_tried_again(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Gateway(mosquitto, tmp_path / "o.db") as gateway:
        gateway.courier._address = Address("127.0.0.1", 1, gateway.name, gateway.name, PASSWORD, None, 5, 5.0)
        gateway.start()
        gateway.until(lambda: caplog.text.count("publisher.disconnected") >= 2)
        assert "Connection refused" in caplog.text


def test_it_says_goodbye_and_otherwise_the_broker_says_so(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with Gateway(mosquitto, tmp_path / "o.db") as gateway, Bridge(mosquitto, gateway.name) as bridge:
        gateway.write(2)
        gateway.start()
        bridge.until_seqs(1, 2)
        gateway.write(1)
        gateway.stop()
        states = [parse_state(found.payload) for found in bridge.heard(Channel.STATE)]
        assert (states[0].online, states[-1].online) == (True, False)
        held = states[-1].held
        assert held is not None
        assert (held.first, held.last) == (1, 3)
        assert bridge.until_seqs(3), "what was written last was still sent"
        assert gateway.report() is None

        # taking the connection over makes the broker publish the last will of the one that was
        with Gateway(mosquitto, tmp_path / "p.db", name=gateway.name) as first:
            first.start()
            bridge.until(lambda heard: parse_state(states_of(heard)[-1]).online)
            bridge.forget()
            with Gateway(mosquitto, tmp_path / "q.db", name=gateway.name, known=False) as second:
                second.start()
                found = bridge.until(lambda heard: any(not parse_state(s).online for s in states_of(heard)))
                assert b'{"online":false,"v":1}' in states_of(found)


def states_of(heard: list[Heard]) -> list[bytes]:
    return [found.payload for found in heard if found.channel is Channel.STATE]


def test_the_brokers_limit_splits_what_is_composed(
    own_mosquitto: MakeMosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("deploy.local.mosquitto.MAX_MESSAGE_BYTES", 4_096)
    mosquitto = own_mosquitto()  # takes packets of 8192 bytes
    bounds = Bounds(5_000, 100_000)
    with Gateway(mosquitto, tmp_path / "o.db", bounds=bounds) as gateway, Bridge(mosquitto, gateway.name) as bridge:
        gateway.write(1_000)
        assert max(map(len, everything(gateway.path).values())) > 8_192
        gateway.start()
        gateway.until(lambda: "publisher.too_long messages=1 first_seq=1" in caplog.text)
        gateway.write(1_000)
        heard = bridge.until(lambda heard: sum(found.batch.readings for found in telemetry(heard)) >= 1_000)
        assert all(len(found.payload) <= 8_192 for found in telemetry(heard))
        assert 1 not in {found.batch.seq for found in telemetry(heard)}
        assert 1 in gateway.held()


def test_compressed_telemetry_says_so(mosquitto: Mosquitto, tmp_path: Path) -> None:
    publish = Publish(compression=Compression.GZIP)
    with Gateway(mosquitto, tmp_path / "o.db", publish) as gateway, Bridge(mosquitto, gateway.name) as bridge:
        gateway.write(1)
        gateway.start()
        (found, *_rest) = bridge.until_seqs(1)
        assert found.encoding == "gzip"
        assert found.batch.readings == 1


def test_events_reach_the_bridge(gateway: Gateway) -> None:
    with Bridge(gateway.mosquitto, gateway.name) as bridge:
        gateway.intake.record([], [Event(kind=EventKind.STARTED, at=7)])
        gateway.start()
        bridge.until(lambda heard: any(found.channel is Channel.EVENT for found in heard))
    gateway.until(lambda: gateway.intake._database.rows("events", {"after": 0, "events": 9}) == [])


def test_an_encrypted_connection_verifies_the_broker(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = certificate(tmp_path)
    with (
        Encrypted(mosquitto.host, mosquitto.port, made) as encrypted,
        Gateway(mosquitto, tmp_path / "o.db") as gateway,
        Bridge(mosquitto, gateway.name) as bridge,
    ):
        there = gateway.courier._address
        gateway.courier._address = replace(there, port=encrypted.port, tls=tls_context(None, None, None))
        gateway.write(300)
        gateway.start()
        gateway.until(lambda: "certificate verify failed" in caplog.text)
        gateway.courier._address = replace(there, port=encrypted.port, tls=tls_context(made.cert, None, None))
        bridge.until_seqs(*range(1, 301))
        bridge.tell(Command.STORED, gateway.stored(300))
        gateway.until(lambda: gateway.held() == set())
