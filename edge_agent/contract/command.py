"""Commands to a gateway: what the warehouse has stored, and what it asks for."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple, Self

from pydantic import Field, model_validator

from edge_agent.contract.birth import Digest
from edge_agent.contract.wire import Epoch, Message, Seq, decode

MAX_MISSING: Final = 1_000
"""Ranges in one confirmation; ``through`` is lowered until they fit."""


class SeqRange(NamedTuple):
    """Message numbers ``first`` … ``last``, both included."""

    first: Seq
    last: Seq


class Stored(Message):
    """The warehouse has settled every message of ``epoch`` up to ``through``, except those in ``missing``.

    Settled means committed: as rows, or as a dead letter with its bytes. Only this lets an agent delete a message.
    Confirmations may arrive twice or out of order; each is true for good.
    """

    epoch: Epoch
    through: Annotated[int, Field(ge=0, lt=1 << 40)]
    missing: Annotated[tuple[SeqRange, ...], Field(max_length=MAX_MISSING)] = ()
    """Ascending, apart from each other, none beyond ``through``."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        before = 0
        for gap in self.missing:
            if not before < gap.first <= gap.last <= self.through:
                raise ValueError(f"missing {gap.first}-{gap.last} is not ascending within 1-{self.through}")
            before = gap.last
        return self

    def settles(self, seq: int) -> bool:
        """True when message ``seq`` may leave the disk."""
        return seq <= self.through and not any(gap.first <= seq <= gap.last for gap in self.missing)


class BirthRequest(Message):
    """Please publish your births again; ``b`` names the one that is unknown here."""

    b: Digest | None = None


class Drain(Message):
    """How fast the backlog may be sent, in messages per second; ``None`` leaves it to the agent."""

    messages_per_s: Annotated[float, Field(gt=0)] | None = None


def parse_stored(payload: bytes) -> Stored:
    """Parse a confirmation; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    return decode(Stored, payload)


def parse_birth_request(payload: bytes) -> BirthRequest:
    """Parse a request for births; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    return decode(BirthRequest, payload)


def parse_drain(payload: bytes) -> Drain:
    """Parse a drain rate; ``BadRecord`` with reason ``not_json``, ``version`` or ``schema``."""
    return decode(Drain, payload)
