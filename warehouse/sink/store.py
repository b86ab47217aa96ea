"""The store of the consumer loop: one write is one transaction, with everything in it or nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import errors

from edge_agent.contract.errors import Retryable
from stream.clients import Source
from stream.topics import BIRTHS, TELEMETRY, Partition, Record, gateway_of
from warehouse.migrate import require_current
from warehouse.postgres import Connection, connect, statement, translated
from warehouse.sink import intake, offsets, refusals
from warehouse.sink.ahead import LedgerIds, gather_ahead
from warehouse.sink.births import Catalog
from warehouse.sink.confirm import CommandSender, Confirmer
from warehouse.sink.deferred import settle_deferred
from warehouse.sink.intake import Intake, Refused
from warehouse.sink.readings import Gathered
from warehouse.sink.settings import SinkSettings
from warehouse.sink.transaction import Done, Kafka, Transaction

log = logging.getLogger(__name__)

MOST_BYTES: Final = 6 << 20
"""What the messages of one write hold uncompressed, give or take one: 100 000 readings at 20 a message, 250 000 at 200.
Kafka's bytes say little about it: one megabyte of them may hold a hundred."""

SINGLY: Final = 500
"""Parked messages that are stored one by one at one occasion, after one of them proved to be poison."""

_SQL: Final = "warehouse.sink"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Records, and what they say."""

    records: Sequence[Record]
    taken: Intake
    ahead: Gathered | None


class PostgresStore:
    """Implements :class:`stream.store.Store` on schema `ingest`; connects when it is first asked."""

    def __init__(
        self, settings: SinkSettings, sender: CommandSender, *, now_mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._confirmer = Confirmer(sender, settings.confirm_every_s, settings.ask_birth_every_s, now_mono_s)
        self._catalog = Catalog(settings.most_series_in_memory)
        self._ledger_ids = LedgerIds()
        self._open: Connection | None = None
        self._source = Source("", {})
        self._expected: dict[Partition, int | None] = {}
        self._months: frozenset[str] = frozenset()
        self._unpark = True
        self._deferred = True

    def close(self) -> None:
        """Let go of the database; what was not committed is rolled back."""
        if self._open is not None:
            with suppress(psycopg.Error):
                self._open.close()
            self._open = None

    def assigned(self, partitions: Sequence[Partition], source: Source) -> Mapping[Partition, int | None]:
        """Return the stored offsets, and owe every gateway that was last heard on these partitions a confirmation."""
        with self._database() as connection:
            stored = offsets.read(connection, partitions, source)
            telemetry = [partition.partition for partition in partitions if partition.topic == TELEMETRY.name]
            gateways = connection.execute(statement(_SQL, "gateways_of_partitions.sql"), {"partitions": telemetry})
            self._confirmer.owe(gateway for (gateway,) in gateways)
        self._source = source
        self._expected |= stored
        self._unpark = self._deferred = True
        return stored

    def prepare(self, records: Sequence[Record]) -> Prepared:
        """Read what ``records`` say, up to ``MOST_BYTES`` of it, and put its readings in order if that can be done."""
        taken = intake.sort(records, MOST_BYTES)
        return Prepared(records[: taken.records], taken, gather_ahead(taken, self._catalog, self._ledger_ids))

    def write(self, prepared: Prepared, next_offsets: Mapping[Partition, int]) -> None:
        """Commit ``prepared`` and ``next_offsets`` in one transaction, then confirm what is due."""
        records, taken = prepared.records, prepared.taken
        kafka = Kafka(self._source, records, self._expected, next_offsets)
        with self._database() as connection:
            try:
                done = self._transact(connection, kafka, taken, ahead=prepared.ahead)
            except errors.DataError as error:
                taken = self._without_poison(connection, records, error)
                # What is parked may be poison too, and is looked at by itself when there is time.
                done = self._transact(connection, kafka, taken, most_unparked=0)
        self._expected |= next_offsets
        self._confirmer.owe(gateway for gateway, _, _ in taken.states)
        self._tell(done)
        try:
            with self._database() as connection:
                self._confirmer.confirm_due(connection)
        except Retryable as error:
            # The write is committed and must not seem to have failed; what is owed stays owed.
            log.warning("event=not_confirmed error=%s", error)

    def lost(self, partition: Partition, stored: int, log_start: int) -> None:
        """Record a loss in ``ingest.offset_loss``."""
        with self._database() as connection:
            offsets.lost(connection, partition, stored, log_start, self._source)

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget ``partitions``."""
        for partition in partitions:
            self._expected.pop(partition, None)

    def idle(self) -> None:
        """Store parked messages whose birth came, settle deferred conflicts, confirm what is due."""
        with self._database() as connection:
            if self._unpark:
                self._store_parked(connection)
            if self._deferred:
                self._deferred = settle_deferred(connection, self._settings.name)
            self._confirmer.confirm_due(connection)

    def _transact(
        self,
        connection: Connection,
        kafka: Kafka,
        taken: Intake,
        *,
        keep: bool = True,
        most_unparked: int | None = None,
        ahead: Gathered | None = None,
    ) -> Done:
        with connection.transaction(force_rollback=not keep):
            name, most_parked = self._settings.name, self._settings.most_parked
            body = Transaction(connection, self._catalog, name, most_parked, most_unparked)
            return body.run(kafka, taken, self._months, unpark=self._unpark, ahead=ahead)

    def _tell(self, done: Done) -> None:
        """Take note of what a committed transaction has to tell."""
        self._months |= done.months
        self._unpark = done.parked_left
        self._deferred |= done.deferred
        self._confirmer.changed(done.ledger_ids)
        self._ledger_ids.learn(done.ledger_ids)
        for key in sorted(done.missing):
            self._confirmer.ask(key.gateway, key.digest)
        if done.no_room:
            log.warning("event=no_room_to_park messages=%d", done.no_room)

    def _store_parked(self, connection: Connection) -> None:
        """Store parked messages whose birth is known; one that the database does not take is refused."""
        try:
            self._tell(self._transact(connection, Kafka(self._source), Intake()))
        except errors.DataError:
            self._catalog.forget()
            self._unpark = all(self._store_one_parked(connection) for _ in range(SINGLY))

    def _store_one_parked(self, connection: Connection) -> bool:
        """Store or refuse the oldest parked message whose birth is known; False when there is none."""
        with connection.transaction():
            records = refusals.unpark(connection, 1)
            if not records:
                return False
            kafka = Kafka(self._source, records)
            try:
                done = self._transact(connection, kafka, intake.sort(records), most_unparked=0)
            except errors.DataError as error:
                self._catalog.forget()
                log.warning("event=poison records=1 parked=true error=%s", error)
                taken = Intake(refused=[intake.condemn(records[0], str(error))])
                done = self._transact(connection, kafka, taken, most_unparked=0)
        self._tell(done)
        return True

    def _without_poison(self, connection: Connection, records: Sequence[Record], error: errors.DataError) -> Intake:
        """Find the records that the database does not take, and refuse them.

        Each is tried alone, but for its gateway's good births among them, without which it would only be parked. The
        contract's models refuse whatever is known to be unstorable; this is the net below them, so that no
        message can ever stop the sink.
        """
        births: dict[str, list[Record]] = {}
        good: list[Record] = []
        refused: list[Refused] = []
        for record in sorted(records, key=lambda one: one.topic != BIRTHS.name):
            of_gateway = births.setdefault(gateway_of(record.key), [])
            tried = [*of_gateway, record]
            try:
                self._transact(connection, Kafka(self._source, tried), intake.sort(tried), keep=False, most_unparked=0)
            except errors.DataError as found:
                refused.append(intake.condemn(record, str(found)))
            else:
                good.append(record)
                if record.topic == BIRTHS.name:
                    of_gateway.append(record)
            self._catalog.forget()
        log.error("event=poison records=%d error=%s", len(refused), error)
        taken = intake.sort(good)
        taken.refused.extend(refused)
        return taken

    @contextmanager
    def _database(self) -> Iterator[Connection]:
        """Give the connection, opening it if need be; after an error nothing that was only in memory is believed."""
        try:
            with translated():
                if self._open is None:
                    self._open = connect(
                        self._settings.database.conninfo(), application=f"g60 sink {self._settings.name}"
                    )
                    require_current(self._open)
                    self._open.execute(statement(_SQL, "session.sql"))
                try:
                    yield self._open
                except errors.UniqueViolation as error:
                    raise Retryable(f"another sink stored the same at the same time: {error}") from error
                except errors.CheckViolation as error:
                    raise Retryable(f"a month's partition was taken away: {error}") from error
        except BaseException:
            self._catalog.forget()
            self._months = frozenset()
            self._unpark = self._deferred = True
            if self._open is not None and self._open.broken:
                self.close()
            raise
