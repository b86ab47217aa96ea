"""What each job does in one round, and what it tells the log of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from warehouse.energy.job import close, last_quarter
from warehouse.energy.nightly import FROM_HOUR, check_tonight
from warehouse.indicators.due import mark_due
from warehouse.jobs.settings import JobName
from warehouse.ledger.completeness import count
from warehouse.ledger.holes import watch
from warehouse.postgres import Connection
from warehouse.retention import job as retention
from warehouse.supply.job import keep

GoOn: TypeAlias = Callable[[], bool]
"""False once a job that can go on in the next round should stop."""
Job: TypeAlias = Callable[[Connection, datetime, GoOn], str]
ANOTHER: Final = "another run is at work"


def _holes(connection: Connection, now: datetime, _go_on: GoOn) -> str:
    seen = watch(connection, now)
    return f"open={seen.open} lost={seen.lost} closed={seen.closed} closed_messages={seen.closed_messages}"


def _energy(connection: Connection, now: datetime, _go_on: GoOn) -> str:
    report = close(connection, last_quarter(now))
    return (
        f"through={report.closed_through.isoformat()} registers={report.registers} changed={report.changed} "
        f"refused={len(report.refused)}"
    )


def _completeness(connection: Connection, now: datetime, go_on: GoOn) -> str:
    progress = count(connection, now, go_on=go_on)
    if progress is None:
        return ANOTHER
    return f"days={progress.days} readings={progress.readings} left={progress.left}"


def _supply(connection: Connection, _now: datetime, go_on: GoOn) -> str:
    report = keep(connection, go_on)
    return (
        f"days={report.days} contract_months={report.contract_months} changed={report.changed} "
        f"left={'some' if report.left else 'none'}"
    )


def _indicators(connection: Connection, _now: datetime, _go_on: GoOn) -> str:
    marked = mark_due(connection)
    return ANOTHER if marked is None else f"changes={marked.changes} due={marked.results}"


def _retention(connection: Connection, now: datetime, go_on: GoOn) -> str:
    done = retention.run(connection, now, go_on)
    if done is None:
        return ANOTHER
    return (
        f"compressed={done.compressed} saved_bytes={done.saved} dropped={done.dropped} readings={done.readings} "
        f"refused={done.refused} failed={done.failed}"
    )


def _check(connection: Connection, now: datetime, go_on: GoOn) -> str:
    tonight = check_tonight(connection, now, go_on)
    if tonight is None:
        return f"not before {FROM_HOUR}:00, or another run is at work"
    found = tonight.checked
    return (
        f"night={tonight.night} meters={found.meters} compared={found.compared} differing={found.differing} "
        f"left={tonight.left}"
    )


WORK: Final[Mapping[JobName, Job]] = {
    JobName.HOLES: _holes,
    JobName.ENERGY: _energy,
    JobName.COMPLETENESS: _completeness,
    JobName.SUPPLY: _supply,
    JobName.INDICATORS: _indicators,
    JobName.CHECK: _check,
    JobName.RETENTION: _retention,
}
"""Every job; what each is given is the connection, the time, and whether to go on."""
