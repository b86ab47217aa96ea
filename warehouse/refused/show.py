"""One refusal, for a person: where it came from, why it was refused, what it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from edge_agent.contract.errors import BadRecord, Misconfigured
from edge_agent.contract.wire import ENCODING_PROPERTY, decompress
from warehouse.postgres import Connection, statement, translated
from warehouse.refused.listing import moment

_SQL: Final = "warehouse.refused"
_NAME: Final = re.compile(
    r"(?:m(?P<letter>\d{1,18})|r(?P<reading>\d{1,18})|(?P<topic>.+)-(?P<part>\d{1,9})@(?P<at>\d{1,18}))"
)
_HEX_BYTES: Final = 4_096
"""What is shown of bytes that are no text; ``--raw`` gives all."""
_TEXT_CHARACTERS: Final = 200_000


class Name(NamedTuple):
    """What a person calls a refusal."""

    letter_id: int | None = None
    rejected_id: int | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


def name_of(text: str) -> Name:
    """Read ``m12``, ``r7`` or ``topic-partition@offset``, as ``refused list`` shows them; ``Misconfigured`` if none."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise Misconfigured(f"{text!r} names no refusal (无此记录); examples: m12, r7, g60.telemetry.v1-0@345")
    if match["letter"]:
        return Name(letter_id=int(match["letter"]))
    if match["reading"]:
        return Name(rejected_id=int(match["reading"]))
    return Name(topic=match["topic"], partition=int(match["part"]), offset=int(match["at"]))


def show(connection: Connection, name: Name) -> Iterator[str]:
    """Return the lines about a refusal; ``Misconfigured`` when there is none of that name.

    An offset may name several messages, when Kafka lost the end of its log or a topic was made anew; all are shown.
    """
    if name.rejected_id is not None:
        yield from _reading(connection, name)
        return
    for number, letter in enumerate(_letters(connection, name)):
        if number:
            yield ""
        yield from _letter(letter)


def raw(connection: Connection, name: Name) -> bytes:
    """Return the original bytes of one message; ``Misconfigured`` when ``name`` names none, or more than one."""
    letters = [] if name.rejected_id is not None else _letters(connection, name)
    if len(letters) != 1:
        which = ", ".join(f"m{letter['letter_id']}" for letter in letters)
        raise Misconfigured(f"name one message (请指定一条消息){': ' + which if which else ', a reading has no bytes'}")
    return bytes(letters[0]["value"])


def _letters(connection: Connection, name: Name) -> list[dict[str, Any]]:
    found = _rows(connection, "letter_find.sql", name._asdict())
    if not found:
        raise Misconfigured("there is no such refused message (无此拒收消息)")
    return found


def _rows(connection: Connection, file: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with translated():
        cursor = connection.execute(statement(_SQL, file), parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _letter(letter: dict[str, Any]) -> Iterator[str]:
    yield f"id        m{letter['letter_id']}"
    yield f"where     {letter['topic']}-{letter['partition']}@{letter['offset']} ({letter['topic_id']})"
    yield f"gateway   {letter['gateway'] or '-'}"
    yield f"message   {letter['epoch'] or '?'}/{letter['seq'] or '?'}"
    yield f"appended  {_ms(letter['timestamp_ms'])}"
    yield from _judgement(letter)
    if letter["replayed_at"] is not None:
        yield f"replayed  {moment(letter['replayed_at'])}, batch {letter['replayed_batch']}"
    yield f"key       {_line(bytes(letter['key']))}"
    for header, value in sorted(letter["headers"].items()):
        yield f"header    {_safe(header)} = {_safe(value) if isinstance(value, str) else value['hex'] + ' (hex)'}"
    value = bytes(letter["value"])
    yield f"bytes     {len(value)}"
    yield from _payload(value, letter["headers"].get(ENCODING_PROPERTY))


def _reading(connection: Connection, name: Name) -> Iterator[str]:
    found = _rows(connection, "reading_find.sql", {"rejected_id": name.rejected_id})
    if not found:
        raise Misconfigured("there is no such refused reading (无此拒收读数)")
    reading = found[0]
    yield f"id        r{reading['rejected_id']}"
    yield f"gateway   {reading['gateway']}"
    yield f"message   {reading['epoch']}/{reading['seq']}"
    yield f"series    {reading['name']} ({reading['series_id'] or 'unknown'})"
    yield f"time      {_ms(reading['t_ms'])} ({reading['t_ms']})"
    yield f"value     {'null' if reading['value'] is None else reading['value']}"
    yield f"quality   {reading['q']}"
    yield from _judgement(reading)
    if reading["settled_at"] is not None:
        yield f"settled   {moment(reading['settled_at'])} by {reading['settled_by']}, batch {reading['settled_batch']}"


def _judgement(row: dict[str, Any]) -> Iterator[str]:
    yield f"refused   {moment(row['at'])}, batch {row['batch']}"
    yield f"reason    {row['reason']}"
    yield f"detail    {_safe(row['detail'])}"
    if row["tried_at"] is not None:
        yield f"tried     {moment(row['tried_at'])}: {row['tried_reason']}: {_safe(row['tried_detail'])}"


def _payload(value: bytes, encoding: str | dict[str, str] | None) -> Iterator[str]:
    """Return JSON spread over lines, any other text as it is, other bytes in hexadecimal."""
    plain = value
    try:
        plain = decompress(value, encoding if encoding is None or isinstance(encoding, str) else "?")
    except BadRecord as error:
        yield f"payload   cannot be unpacked: {error}"
    text = _text(plain)
    if text:
        yield "payload"
        yield from text[:_TEXT_CHARACTERS].split("\n")
        if len(text) > _TEXT_CHARACTERS:
            yield f"… and {len(text) - _TEXT_CHARACTERS} characters more (--raw gives all)"
    elif plain:
        yield "payload (hex)"
        yield from (plain[at : at + 32].hex(" ") for at in range(0, min(len(plain), _HEX_BYTES), 32))
        if len(plain) > _HEX_BYTES:
            yield f"… and {len(plain) - _HEX_BYTES} bytes more (--raw gives all)"


def _text(plain: bytes) -> str:
    """Return ``plain`` as text, JSON spread over lines; empty when it is none, or would disturb a terminal."""
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        return ""
    try:
        # A repeated key would vanish: such JSON is shown as it is.
        body = json.loads(text, object_pairs_hook=_without_repetition)
        text = json.dumps(body, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        pass
    return text if all(character.isprintable() or character in "\n\r\t" for character in text) else ""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a repeated key")
    return body


def _line(found: bytes) -> str:
    try:
        text = found.decode()
    except UnicodeDecodeError:
        return f"{found.hex()} (hex)"
    return text if text.isprintable() else f"{found.hex()} (hex)"


def _safe(text: str) -> str:
    """Return ``text`` with what would disturb a terminal spelt out."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _ms(ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"
