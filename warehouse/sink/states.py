"""States and events of gateways into their tables, and what states tell of clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from psycopg.types.json import Jsonb

from edge_agent.contract.birth import INT64_MAX
from edge_agent.contract.event import Event
from edge_agent.contract.state import State
from stream.topics import Record
from warehouse.clock.faults import Look, look_of
from warehouse.clock.measure import measure
from warehouse.postgres import Connection, statement, text
from warehouse.sink.intake import received_ms, retained

_SQL: Final = "warehouse.sink"


def put_states(connection: Connection, states: Sequence[tuple[str, State, Record]], batch: int) -> None:
    """Keep the last state of each gateway, and follow its clock; an older one that comes late changes nothing."""
    if not states:
        return
    measure(connection, _looks(states))
    with connection.cursor() as cursor:
        cursor.executemany(
            statement(_SQL, "state_put.sql"),
            [
                {
                    "gateway": gateway,
                    "online": state.online,
                    "agent": text(state.agent) or None,
                    "at_ms": state.at,
                    "digest": state.b,
                    "clock_status": None if state.clock is None else str(state.clock.status),
                    "clock_step_ms": None if state.clock is None else _int64(state.clock.step_ms),
                    "sources": Jsonb({text(name): standing for name, standing in state.sources.items()}),
                    "received_ms": received_ms(record),
                    "retained": retained(record),
                    "offset": record.offset,
                    "batch": batch,
                }
                for gateway, state, record in states
            ],
        )


def _looks(states: Sequence[tuple[str, State, Record]]) -> dict[str, list[Look]]:
    """Return what states tell of clocks; one that the broker only repeated tells nothing."""
    looks: dict[str, list[Look]] = {}
    for gateway, state, record in states:
        if not retained(record) and (look := look_of(state, received_ms(record))) is not None:
            looks.setdefault(gateway, []).append(look)
    return looks


def _int64(number: int | None) -> int | None:
    """Return ``number`` or the nearest that fits: the contract sets no bound to a step of the clock."""
    return None if number is None else max(-INT64_MAX - 1, min(INT64_MAX, number))


def add_events(connection: Connection, events: Sequence[tuple[str, Event, Record]], batch: int) -> None:
    """Keep events; one that comes twice is kept once."""
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            statement(_SQL, "event_add.sql"),
            [
                {
                    "gateway": gateway,
                    "kind": str(event.kind),
                    "at_ms": event.at,
                    "device": None if event.device is None else text(event.device),
                    "text": text(event.text),
                    "received_ms": received_ms(record),
                    "batch": batch,
                }
                for gateway, event, record in events
            ],
        )
