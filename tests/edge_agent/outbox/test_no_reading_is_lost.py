"""The outbox as a state machine: whatever happens to it, every recorded reading is held, settled or reported."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.contract.command import SeqRange, Stored
from edge_agent.contract.telemetry import Batch, Dropped, DropReason, parse_batch
from edge_agent.outbox.batches import Bounds, unpack_report
from edge_agent.outbox.database import Database
from edge_agent.sources import Poll
from tests.edge_agent.outbox.models import (
    NOW_MS,
    birth,
    everything,
    gauges,
    inherited_times,
    marked,
    opened,
    pending_times,
    registers,
)

MAX_BYTES = 384 << 10
BOUNDS = Bounds(readings=400, payload_bytes=6 << 10)


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.lives = 0
        self.recorded: set[int] = set()
        self.settled_times: set[int] = set()
        self.settled_seqs: set[int] = set()
        self.sent: set[int] = set()
        self.bytes_of: dict[int, bytes] = {}
        self.settled_reports: list[Dropped] = []
        self.earlier_reports: list[Dropped] = []
        self.place: str | None = None
        self.stack = ExitStack()

    @property
    def path(self) -> Path:
        return self.folder / f"life-{self.lives}" / "outbox.db"

    @initialize()
    def begin(self) -> None:
        self.open()

    def open(self) -> None:
        self.outbox, self.intake, self.outflow = self.stack.enter_context(opened(self.path, MAX_BYTES, BOUNDS))
        self.intake.adopt(birth())

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)

    # --- what happens

    def poll(self, number: int, *, register: bool) -> Poll:
        first = len(self.recorded) + 1
        return marked((registers if register else gauges)(first, number), str(first + number))

    @rule(number=st.integers(1, 600), register=st.booleans())
    def record(self, number: int, register: bool) -> None:
        poll = self.poll(number, register=register)
        self.intake.record([poll])
        self.recorded |= {reading.t_ms for reading in poll.readings}
        self.place = poll.bookmark.value if poll.bookmark else None

    @rule()
    def compose(self) -> None:
        for gap in self.intake.compose(NOW_MS).dropped:
            assert gap.first not in self.sent, "a message that may have reached somebody was given up"

    @rule(number=st.integers(5, 25), register=st.booleans())
    def wait_for_the_broker(self, number: int, register: bool) -> None:
        for _ in range(number):
            self.record(400, register=register)
            self.compose()

    @rule(number=st.integers(1, 6))
    def send(self, number: int) -> None:
        for outgoing in self.outflow.take(self.outflow.unsent_after(0, number), 1000):
            self.sent.add(outgoing.seq)
            assert parse_batch(outgoing.payload).seq == outgoing.seq

    @precondition(lambda self: self.sent - self.settled_seqs)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        seq = data.draw(st.sampled_from(sorted(self.sent - self.settled_seqs)))
        (outgoing,) = self.outflow.take([seq], 2000)
        assert outgoing.payload == self.bytes_of[seq]

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        stored = self.confirmation(data)
        held = {seq: parse_batch(body) for seq, body in everything(self.path).items()}
        settled = self.outflow.settle(stored, NOW_MS)
        expected = {seq for seq in held if stored.settles(seq) and seq in self.sent}
        assert settled.messages == len(expected)
        for seq in expected:
            self.settled_seqs.add(seq)
            self.settled_times |= times_of(held[seq])
            self.settled_reports += held[seq].dropped

    def confirmation(self, data: st.DataObject) -> Stored:
        through = data.draw(st.integers(0, self.outflow.held().last))
        numbers = sorted(data.draw(st.sets(st.integers(1, through), max_size=4))) if through else []
        missing = tuple(SeqRange(seq, seq) for seq in numbers)
        return Stored(epoch=self.outflow.epoch, through=through, missing=missing)

    @rule()
    def stop_and_start(self) -> None:
        self.stack.close()
        self.open()

    @rule()
    def renew(self) -> None:
        """Somebody else may go on with the numbers: a new epoch, and everything held is numbered anew."""
        held = {seq: parse_batch(body) for seq, body in everything(self.path).items()}
        told = [gap for seq in self.sent & set(held) for gap in held[seq].dropped]
        self.earlier_reports += [*self.settled_reports, *told]
        before = self.outflow.epoch
        self.outflow.renew("a test", NOW_MS)
        assert self.outflow.epoch > before
        self.settled_reports = []
        self.sent, self.settled_seqs, self.bytes_of = set(), set(), {}

    @rule()
    def lose_power(self) -> None:
        self.go_on_with(self.snapshot())

    @rule(step=st.sampled_from(["record", "compose", "send", "confirm"]), data=st.data())
    def lose_power_before_commit(self, step: str, data: st.DataObject) -> None:
        """The files as they are just before the commit of ``step``: nothing of it may be seen afterwards."""
        steps: dict[str, tuple[Database, Callable[[], object]]] = {
            "record": (self.intake._database, lambda: self.intake.record([self.poll(5, register=True)])),
            "compose": (self.intake._database, lambda: self.intake.compose(NOW_MS)),
            "send": (
                self.outflow._database,
                lambda: self.outflow.take(self.outflow.unsent_after(0, 3), 3000),
            ),
            "confirm": (
                self.outflow._database,
                lambda: self.outflow.settle(self.confirmation(data), NOW_MS),
            ),
        }
        database, act = steps[step]
        copies: list[Path] = []

        def copy(statement: str) -> None:
            if statement == "COMMIT":
                copies.append(self.snapshot())

        database._connection.set_trace_callback(copy)
        act()
        self.go_on_with(copies[-1])

    def snapshot(self) -> Path:
        copy = self.folder / f"copy-{self.lives + 1}"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for suffix in ("", "-wal"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                shutil.copy(part, copy / part.name)
        return copy

    def go_on_with(self, copy: Path) -> None:
        self.stack.close()
        self.lives += 1
        copy.rename(self.path.parent)
        self.open()

    # --- what holds at all times

    @invariant()
    def nothing_is_lost(self) -> None:
        if not self.path.exists():
            return
        held = everything(self.path)
        batches = {seq: parse_batch(body) for seq, body in held.items()}
        for seq, body in held.items():
            assert self.bytes_of.setdefault(seq, body) == body, f"message {seq} changed"
        pending = pending_times(self.path)
        in_messages = [t for batch in batches.values() for t in times_of(batch)] + inherited_times(self.path)
        on_disk = set(pending) | set(in_messages)
        assert len(pending) + len(in_messages) == len(on_disk), "a reading stands twice"
        assert not on_disk & self.settled_times
        assert on_disk | self.settled_times <= self.recorded

        reports = [gap for batch in batches.values() for gap in batch.dropped] + self.settled_reports + self.waiting()
        gone = self.recorded - on_disk - self.settled_times
        assert sum(gap.readings for gap in [*reports, *self.earlier_reports]) == len(gone)

        dropped = [seq for gap in reports for seq in range(gap.first, gap.last + 1)]
        last = self.outflow.held().last
        assert sorted([*dropped, *held, *self.settled_seqs]) == list(range(1, last + 1)), "each number has one fate"
        assert self.sent <= set(held) | self.settled_seqs
        assert self.intake.bookmark("place") == self.place

    @invariant()
    def the_file_is_bounded(self) -> None:
        if self.path.exists():
            assert self.path.stat().st_size <= MAX_BYTES

    def waiting(self) -> list[Dropped]:
        with Database(self.path, readonly=True) as database:
            rows = database.rows("dropped", {"ranges": 1 << 30})
        return [Dropped(first, last, DropReason(reason), readings) for first, last, reason, readings in rows]


def times_of(batch: Batch) -> set[int]:
    return {t for points in batch.series.values() for t in points.t}


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_machine_reaches_every_policy(tmp_path: Path) -> None:
    """What the machine may meet at random is met here for certain, so that its invariants are known to be tried."""
    machine = OutboxMachine()
    reasons: set[str] = set()
    try:
        machine.begin()
        for step in range(60):
            machine.record(500, register=step % 3 == 0)
            machine.compose()
            machine.nothing_is_lost()
            reasons |= {gap.reason for gap in machine.waiting()}
        machine.send(4)
        for _ in range(40):
            machine.record(600, register=True)
            machine.compose()
            machine.nothing_is_lost()
            machine.the_file_is_bounded()
            reasons |= {gap.reason for gap in machine.waiting()}
    finally:
        machine.teardown()
    assert reasons == {"overflow_thinned", "overflow_gauges", "overflow_registers"}
    assert unpack_report(None) == []
