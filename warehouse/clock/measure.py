"""States into ``ingest.clock_fault``: part of the sink's transaction, and nothing in it while clocks are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from edge_agent.contract.state import ClockStatus
from warehouse.clock.faults import Change, Course, Fault, Look, follow
from warehouse.postgres import Connection, statement

_SQL: Final = "warehouse.clock"


def measure(connection: Connection, looks: Mapping[str, Sequence[Look]]) -> None:
    """Follow the clocks of gateways by what their states tell, in the order of arrival."""
    if not looks:
        return
    courses = _read(connection, sorted(looks))
    for gateway in sorted(looks):
        course = courses.get(gateway, Course())
        change = follow(course, sorted(looks[gateway], key=lambda look: look.received_ms))
        if change.course != course or change.written:
            _write(connection, gateway, change)


def _read(connection: Connection, gateways: list[str]) -> dict[str, Course]:
    courses: dict[str, Course] = {}
    for gateway, status, *numbers in connection.execute(statement(_SQL, "fault_read.sql"), {"gateways": gateways}):
        fault = Fault(ClockStatus(status), *numbers)
        before = courses.get(gateway, Course())
        if fault.until_ms is None:
            courses[gateway] = Course(fault, before.ended)
        else:
            courses[gateway] = Course(before.going_on, fault)
    return courses


def _write(connection: Connection, gateway: str, change: Change) -> None:
    if change.forgotten is not None:
        connection.execute(statement(_SQL, "fault_forget.sql"), {"fault_id": change.forgotten})
    for fault in (*change.written, change.course.going_on):
        if fault is not None:
            known = fault.fault_id is not None
            connection.execute(statement(_SQL, "fault_update.sql" if known else "fault_add.sql"), _row(gateway, fault))


def _row(gateway: str, fault: Fault) -> dict[str, Any]:
    return {
        "fault_id": fault.fault_id,
        "gateway": gateway,
        "status": str(fault.status),
        "offset_ms": fault.offset_ms,
        "lowest_ms": fault.lowest_ms,
        "highest_ms": fault.highest_ms,
        "first_at_ms": fault.first_at_ms,
        "last_at_ms": fault.last_at_ms,
        "since_ms": fault.since_ms,
        "seen_ms": fault.seen_ms,
        "until_ms": fault.until_ms,
        "step_ms": fault.step_ms,
    }
