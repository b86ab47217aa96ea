"""Refused messages as the records they were, judged by today's code; pure but for reading them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from stream.bridge.routing import route
from stream.clients import Source
from stream.topics import BIRTHS, BYTES, ENCODING, MQTT_TOPIC, REFUSED, RETAINED, Record
from warehouse.postgres import Connection, statement
from warehouse.refused.which import Which
from warehouse.sink import intake
from warehouse.sink.births import BirthKey
from warehouse.sink.intake import Intake
from warehouse.sink.refusals import headers_from

PIECE: Final = 100
"""Messages in one transaction."""
PIECE_BYTES: Final = 4 << 20
"""Bytes after which a piece takes no further message."""
NO_BIRTH: Final = "no_birth"
"""The message is good, and the warehouse does not know the birth that explains it."""

_SQL: Final = "warehouse.refused"


@dataclass(frozen=True, slots=True)
class Letter:
    """One refused message."""

    letter_id: int
    reason: str
    """As it counts now."""
    topic_id: str
    record: Record
    """As it would come today."""


@dataclass(frozen=True, slots=True)
class Still:
    """A message that is refused again, and why."""

    letter: Letter
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What today's code makes of messages."""

    good: Intake
    """What the sink's transaction can store."""
    letters: list[Letter] = field(default_factory=list)
    """Where that comes from."""
    still: list[Still] = field(default_factory=list)


def waiting(connection: Connection, which: Which, letter_id: int | None = None) -> Iterator[list[Letter]]:
    """Give the messages that wait now, births first, in pieces; what is refused meanwhile is left alone.

    Each piece is read when it is asked for, so that what was stored or tried between two pieces is of no harm.
    """
    row = connection.execute(statement(_SQL, "letters_last.sql")).fetchone()
    position = {"rank": -1, "after": 0}
    bounds = {"last": 0 if row is None else row[0], "most": PIECE, "most_bytes": PIECE_BYTES, "births": BIRTHS.name}
    while True:
        found = connection.execute(
            statement(_SQL, "letters_piece.sql"), {**which.parameters(), **bounds, **position, "letter_id": letter_id}
        ).fetchall()
        if not found:
            return
        position = {"rank": found[-1][0], "after": found[-1][1]}
        letters = [
            Letter(
                letter_id_,
                reason,
                topic_id,
                restored(
                    Record(topic, partition, offset, bytes(key), bytes(value), headers_from(headers), timestamp_ms)
                ),
            )
            for _, letter_id_, reason, topic_id, topic, partition, offset, key, value, headers, timestamp_ms in found
        ]
        yield from _of_one_source(letters)


def restored(record: Record) -> Record:
    """Return what the bridge refused as it would route it today; others, and those that it had to cut, as they are."""
    if record.topic != REFUSED.name or MQTT_TOPIC not in record.headers:
        return record
    value = record.value or b""
    if record.headers.get(BYTES, b"%d" % len(value)) != b"%d" % len(value):
        return record
    encoding = record.headers.get(ENCODING)
    sent = route(
        record.headers[MQTT_TOPIC].decode("utf-8", "replace"),
        value,
        None if encoding is None else encoding.decode("utf-8", "replace"),
        intake.received_ms(record),
        retained=RETAINED in record.headers,
    )
    if sent.topic == REFUSED.name:
        return record
    return Record(
        sent.topic, record.partition, record.offset, sent.key, sent.value, dict(sent.headers), record.timestamp_ms
    )


def source_of(letters: Sequence[Letter]) -> Source:
    """Return where ``letters`` came from, as the sink's transaction wants it."""
    return Source("", {letter.record.topic: letter.topic_id for letter in letters})


def judge(letters: Sequence[Letter]) -> Judged:
    """Say what today's code makes of ``letters``."""
    by_record = {id(letter.record): letter for letter in letters}
    taken = intake.sort(letter.record for letter in letters)
    still = [Still(by_record[id(one.record)], one.reason, one.detail) for one in taken.refused]
    refused = {one.letter.letter_id for one in still}
    taken.refused.clear()
    return Judged(taken, [letter for letter in letters if letter.letter_id not in refused], still)


def unexplained(judged: Judged, known: Collection[BirthKey]) -> Judged:
    """Return ``judged`` without the telemetry whose birth is neither in ``known`` nor among it: that is still refused.

    Parking it would be wrong: a refused message counts as settled, so that nobody would send it again.
    """
    here = {BirthKey(birth.gateway, birth.digest()) for birth, _ in judged.good.births} | set(known)
    waits = [one for one in judged.good.telemetry if BirthKey(one.gateway, one.telemetry.birth) not in here]
    if not waits:
        return judged
    by_record = {id(letter.record): letter for letter in judged.letters}
    still = [
        Still(by_record[id(one.record)], NO_BIRTH, f"the birth {one.telemetry.birth} is not known") for one in waits
    ]
    gone = {one.letter.letter_id for one in still}
    left = [one for one in judged.good.telemetry if by_record[id(one.record)].letter_id not in gone]
    good = Intake(left, judged.good.births, judged.good.states, judged.good.events)
    return Judged(good, [letter for letter in judged.letters if letter.letter_id not in gone], [*judged.still, *still])


def _of_one_source(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Part ``letters`` where a topic has another id than before: it was made anew, and its offsets name others."""
    piece: list[Letter] = []
    ids: dict[str, str] = {}
    for letter in letters:
        if ids.setdefault(letter.record.topic, letter.topic_id) != letter.topic_id:
            yield piece
            piece, ids = [], {letter.record.topic: letter.topic_id}
        piece.append(letter)
    if piece:
        yield piece
