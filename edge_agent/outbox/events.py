"""Events that wait for the broker, in bounded number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edge_agent.contract.event import Event
from edge_agent.outbox.database import Database

KEPT_EVENTS: Final = 1_000
"""Events that wait for the broker; beyond that the oldest are given up."""


def add_events(database: Database, events: Sequence[Event]) -> None:
    """Keep ``events`` until the broker has taken them; at most :data:`KEPT_EVENTS`, the latest."""
    for event in events:
        database.run("add_event", {"body": event.encode()})
    if events:
        database.run("bound_events", {"kept": KEPT_EVENTS})
