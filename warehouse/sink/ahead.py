"""What a write will store, worked out while another one is under way, from memory alone.

Births and ledger numbers are facts that never change, so what the last writes learned of them holds for the next one as
well. The write compares what it finds with what was assumed here, and gathers again where that differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from warehouse.sink.births import BirthKey, Catalog
from warehouse.sink.intake import Intake
from warehouse.sink.ledger import Epoch
from warehouse.sink.readings import Gathered, Message, gather

MOST_EPOCHS: Final = 1 << 18
"""Epochs whose numbers are remembered; beyond, all are forgotten."""


class LedgerIds:
    """The numbers of ledger rows that were committed."""

    def __init__(self) -> None:
        self._ids: dict[Epoch, int] = {}

    def learn(self, found: Mapping[Epoch, int]) -> None:
        """Remember what a committed transaction found."""
        if len(self._ids) > MOST_EPOCHS:
            self._ids.clear()
        self._ids.update(found)

    def get(self, epoch: Epoch) -> int | None:
        """Return the number of an epoch, if it is remembered."""
        return self._ids.get(epoch)


def gather_ahead(taken: Intake, catalog: Catalog, ledger_ids: LedgerIds) -> Gathered | None:
    """Return what a write of ``taken`` will most likely store; ``None`` when memory does not know enough."""
    if taken.flat is None:
        return None
    messages: list[Message] = []
    for one in taken.telemetry:
        birth = catalog.remembered(BirthKey(one.gateway, one.telemetry.birth))
        ledger_id = ledger_ids.get(Epoch(one.gateway, one.telemetry.epoch))
        if birth is None or ledger_id is None:
            return None
        messages.append(Message(one.telemetry, birth, ledger_id << 40 | one.telemetry.seq, one.record.timestamp_ms))
    return gather(messages, taken.flat)
