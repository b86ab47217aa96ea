"""How a message becomes bytes and back: canonical JSON, strict models, bounded decompression."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edge_agent.contract.errors import BadRecord

VERSION: Final = 1
GZIP: Final = "gzip"
ENCODING_PROPERTY: Final = "content-encoding"
"""MQTT 5 user property, and Kafka header, that names the compression; absent when there is none."""

MAX_MESSAGE_BYTES: Final = 1 << 20
"""Longest message after decompression, and the largest packet the broker is told to accept."""

TimeMs = Annotated[int, Field(ge=0, lt=1 << 53)]
"""UTC milliseconds since 1970."""
Epoch = Annotated[int, Field(ge=1, lt=1 << 53)]
"""One life of an agent's disk buffer: milliseconds at its creation × 1024 + 10 random bits. Later is larger."""
Seq = Annotated[int, Field(ge=1, lt=1 << 40)]
"""Number of a message within its epoch, counted from 1."""


class Wire(BaseModel):
    """Base of everything that travels: immutable, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Message(Wire):
    """Base of what is published as a whole; carries the contract's version."""

    v: Literal[1] = VERSION

    @field_validator("v", mode="before")
    @classmethod
    def _true_is_not_one(cls, found: object) -> object:
        return str(found) if isinstance(found, bool) else found

    def encode(self) -> bytes:
        """Return the canonical JSON: UTF-8, keys sorted, no spaces, defaults left out.

        Equal messages give equal bytes, on every machine and Python version.
        """
        return canonical(self.model_dump(mode="json", exclude_defaults=True) | {"v": VERSION})


M = TypeVar("M", bound=Message)


def canonical(body: object) -> bytes:
    """Return ``body`` as canonical JSON (see :meth:`Message.encode`)."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(model: type[M], payload: bytes) -> M:
    """Parse ``payload`` into ``model``; any bytes give a message or ``BadRecord``.

    Reasons: ``not_json``, ``version``, ``schema``.
    """
    try:
        message = model.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise BadRecord("not_json", first["msg"]) from error
        if first["loc"] == ("v",):
            raise BadRecord("version", f"v is {first['input']!r}, this side speaks {VERSION}") from error
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise BadRecord("schema", f"{where}: {first['msg']}") from error
    if "v" not in message.model_fields_set:
        raise BadRecord("version", f"v is missing, this side speaks {VERSION}")
    return message


def compress(payload: bytes) -> bytes:
    """Return ``payload`` gzipped; equal payloads give equal bytes."""
    return gzip.compress(payload, mtime=0)


def decompress(payload: bytes, encoding: str | None, limit: int = MAX_MESSAGE_BYTES) -> bytes:
    """Undo the compression that ``encoding`` names (``None`` or ``"gzip"``).

    Never allocates more than ``limit`` bytes: a message that is, or unpacks to, more raises
    ``BadRecord("too_large")``. Other reasons: ``encoding`` (unknown), ``not_gzip`` (damaged).
    """
    if encoding is None:
        if len(payload) > limit:
            raise BadRecord("too_large", f"{len(payload)} bytes, at most {limit}")
        return payload
    if encoding != GZIP:
        raise BadRecord("encoding", f"{encoding!r}, allowed: {GZIP}")
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(payload, limit + 1)
    except zlib.error as error:
        raise BadRecord("not_gzip", str(error)) from error
    if len(plain) > limit:
        raise BadRecord("too_large", f"unpacks to more than {limit} bytes")
    if not stream.eof or stream.unused_data:
        raise BadRecord("not_gzip", "truncated, or followed by other bytes")
    return plain
