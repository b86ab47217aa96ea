"""What one transaction of the sink does, in order.

Locks are taken in one order (offsets, watermark, births, ledger, readings), so that two sinks wait for each other but
do not block each other for good; where PostgreSQL finds a deadlock all the same, the write is repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_agent.contract.birth import INT64_MAX
from edge_agent.contract.command import SeqRange
from stream.clients import Source
from stream.topics import Partition, Record
from warehouse.postgres import Connection, statement
from warehouse.sink import batches, births, days, exceptions, intake, ledger, offsets, refusals, states, tables
from warehouse.sink.births import BirthKey, Catalog
from warehouse.sink.intake import Intake, Refused, Told
from warehouse.sink.ledger import Entry, Epoch, Row, Tidings
from warehouse.sink.readings import Gathered, Legend, Message, gather
from warehouse.sink.tables import Write

UNPARKED_AT_ONCE: Final = 2_000
"""Parked messages that one write stores; the next one goes on."""

_SQL: Final = "warehouse.sink"


@dataclass(frozen=True, slots=True)
class Kafka:
    """Which part of Kafka a write is made from."""

    source: Source
    records: Sequence[Record] = ()
    expected: Mapping[Partition, int | None] = field(default_factory=dict)
    following: Mapping[Partition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What a transaction has to tell, once it is committed."""

    ledger_ids: Mapping[Epoch, int] = field(default_factory=dict)
    """Epochs that have something new to confirm, and the numbers of their ledger rows."""
    missing: frozenset[BirthKey] = frozenset()
    """Births to ask for."""
    months: frozenset[str] = frozenset()
    """Months that have their partitions."""
    parked_left: bool = False
    """True when more parked messages may be waiting for a birth that is known."""
    deferred: bool = False
    """True when conflicts were put off."""
    no_room: int = 0
    """Messages that could not be parked; their agents send them again."""


@dataclass(frozen=True, slots=True)
class _Explained:
    """Telemetry whose births are known, and the rest."""

    told: list[Told]
    births: Mapping[BirthKey, Legend]
    waiting: list[Told]
    parked: Intake
    parked_left: bool


class Transaction:
    """Runs inside a transaction that the caller opens and commits."""

    def __init__(
        self,
        connection: Connection,
        catalog: Catalog,
        sink: str,
        most_parked: int,
        most_unparked: int | None = None,
    ) -> None:
        self._connection = connection
        self._catalog = catalog
        self._sink = sink
        self._most_parked = most_parked
        self._most_unparked = UNPARKED_AT_ONCE if most_unparked is None else most_unparked

    def run(
        self, kafka: Kafka, taken: Intake, months: frozenset[str], *, unpark: bool, ahead: Gathered | None = None
    ) -> Done:
        """Store what was taken in; ``StaleOffset`` when somebody else wrote.

        ``months`` have their partitions already. With ``unpark`` parked messages are looked for also when no new birth
        came. ``ahead`` is what will be stored of ``taken`` if nothing else is found.
        """
        connection = self._connection
        if kafka.following:
            offsets.move(connection, kafka.expected, kafka.following, kafka.source)
        batch, closed_ms = batches.begin(connection)
        explained = self._explain(taken, batch, unpark=unpark)
        told, reused = intake.distinct(explained.told)
        refused = [*taken.refused, *explained.parked.refused]
        entries = _entries(told, refused)
        _count_repeats(entries, explained.told, told)
        tidings = _tidings(taken)
        if not (kafka.records or kafka.following or entries):
            return Done(parked_left=explained.parked_left)
        rows = ledger.lock(connection, entries, [*tidings.held, *tidings.ended])
        ids = [_message_id(one, rows) for one in told]
        again = _seen_before(told, ids, rows)
        messages = [
            Message(one.telemetry, explained.births[_birth(one)], message, one.record.timestamp_ms)
            for message, one in zip(ids, told, strict=True)
        ]
        if ahead is None or ahead.messages != messages:
            ahead = gather(messages, intake.readings(told, taken, explained.parked))
        columns, rejected = ahead.columns, ahead.rejected
        needed = frozenset(tables.months(found.t_ms for found in columns.values()))
        if needed - months:
            connection.execute(statement(_SQL, "month_ensure.sql"), {"months": sorted(needed - months)})
        placed = tables.place(connection, Write(batch, closed_ms, again), columns)
        news = placed.reused | (refusals.reject(connection, rejected, batch) & again)
        exceptions.seq_reused(connection, news | {_message_id(one, rows) for one in reused}, batch)
        no_room = refusals.park(connection, explained.waiting, kafka.source, batch, self._most_parked)
        refusals.bury(connection, refused, kafka.source, batch)
        states.put_states(connection, taken.states, batch)
        states.add_events(connection, taken.events, batch)
        _add_dropped(connection, told, rows, batch)
        ledger.settle(connection, entries, rows, days.readings_of(columns.values(), again), batch)
        ledger.hear(connection, tidings, rows)
        batches.end(connection, batch, self._sink, len(kafka.records), sum(map(len, columns.values())))
        if kafka.following:
            batches.from_where(connection, batch, kafka.records, kafka.following, kafka.source)
        return Done(
            ledger_ids={epoch: rows[epoch].ledger_id for epoch in entries},
            missing=frozenset(map(_birth, explained.waiting)),
            months=months | needed,
            parked_left=explained.parked_left,
            deferred=placed.deferred,
            no_room=no_room,
        )

    def _explain(self, taken: Intake, batch: int, *, unpark: bool) -> _Explained:
        """Store births, take out parked messages that can be stored now, and tell the known from the unknown."""
        connection, catalog = self._connection, self._catalog
        wanted = {_birth(one) for one in taken.telemetry}
        known = catalog.known(connection, wanted | {_key(birth.gateway, birth.digest()) for birth, _ in taken.births})
        fresh = [one for one in taken.births if _key(one[0].gateway, one[0].digest()) not in known]
        unknown = wanted - known.keys()
        births.lock(connection, [birth.digest() for birth, _ in fresh] + [key.digest for key in unknown])
        for birth, record in fresh:
            births.store(connection, birth, intake.received_ms(record), batch)
        births.say(
            connection,
            [(_key(one.gateway, one.digest()), intake.received_ms(record)) for one, record in taken.births],
        )
        parked = Intake()
        if fresh or unpark:
            parked = intake.sort(refusals.unpark(connection, self._most_unparked))
            unknown |= {_birth(one) for one in parked.telemetry} - known.keys()
        if unknown:
            known |= catalog.known(connection, unknown)
        telemetry = [*parked.telemetry, *taken.telemetry]
        waiting = [] if unknown <= known.keys() else [one for one in telemetry if _birth(one) not in known]
        return _Explained(
            telemetry if not waiting else [one for one in telemetry if _birth(one) in known],
            known,
            waiting,
            parked,
            len(parked.telemetry) + len(parked.refused) >= self._most_unparked,
        )


def _entries(told: Sequence[Told], refused: Sequence[Refused]) -> dict[Epoch, Entry]:
    entries: dict[Epoch, Entry] = {}
    for one in told:
        epoch = _epoch(one)
        entry = entries.get(epoch)
        if entry is None:
            entry = entries[epoch] = Entry()
        entry.stored.append(one.telemetry.seq)
        entry.dropped.extend(SeqRange(gap.first, gap.last) for gap in one.telemetry.dropped)
        entry.partition = one.record.partition
    for bad in refused:
        if bad.gateway is not None and bad.identity is not None:
            entries.setdefault(Epoch(bad.gateway, bad.identity.epoch), Entry()).rejected.append(bad.identity.seq)
    return entries


def _count_repeats(entries: Mapping[Epoch, Entry], came: Sequence[Told], told: Sequence[Told]) -> None:
    """Note how many messages of each epoch were taken out of this write because they stood in it already."""
    if len(came) > len(told):
        for epoch, count in (Counter(map(_epoch, came)) - Counter(map(_epoch, told))).items():
            entries[epoch].repeated = count


def _seen_before(told: Sequence[Told], ids: Sequence[int], rows: Mapping[Epoch, Row]) -> frozenset[int]:
    """Return which of the messages were stored before."""
    if not any(row.again for row in rows.values()):
        return frozenset()
    return frozenset(
        message for message, one in zip(ids, told, strict=True) if rows[_epoch(one)].had(one.telemetry.seq)
    )


def _tidings(taken: Intake) -> Tidings:
    tidings = Tidings()
    for gateway, state, record in taken.states:
        tidings.hear(gateway, state, intake.received_ms(record))
    return tidings


def _add_dropped(connection: Connection, told: Sequence[Told], rows: Mapping[Epoch, Row], batch: int) -> None:
    gaps = [(rows[_epoch(one)].ledger_id, one.telemetry.seq, gap) for one in told for gap in one.telemetry.dropped]
    if gaps:
        connection.execute(
            statement(_SQL, "dropped_add.sql"),
            {
                "ledger_ids": [ledger_id for ledger_id, _, _ in gaps],
                "told_by": [seq for _, seq, _ in gaps],
                "firsts": [gap.first for _, _, gap in gaps],
                "lasts": [gap.last for _, _, gap in gaps],
                "reasons": [str(gap.reason) for _, _, gap in gaps],
                # The contract sets no bound to what an agent may claim.
                "readings": [min(gap.readings, INT64_MAX) for _, _, gap in gaps],
                "batch": batch,
            },
        )


def _message_id(one: Told, rows: Mapping[Epoch, Row]) -> int:
    return rows[_epoch(one)].ledger_id << 40 | one.telemetry.seq


def _epoch(one: Told) -> Epoch:
    return Epoch(one.gateway, one.telemetry.epoch)


def _birth(one: Told) -> BirthKey:
    return BirthKey(one.gateway, one.telemetry.birth)


def _key(gateway: str, digest: str) -> BirthKey:
    return BirthKey(gateway, digest)
