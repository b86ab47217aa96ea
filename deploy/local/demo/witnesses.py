"""What the judge hears: the meters' journals, their load profiles, and the rows of the warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.local.demo.judge import Answered, Recorded, Row, Series
from deploy.local.meters.journal import read_journal
from deploy.local.meters.load_profile import read_load_profile
from warehouse import postgres

_FETCHED = 20_000


def answers_of(journal: Path, gateway: str) -> Iterator[Answered]:
    """Yield every value that the meter of ``journal`` answered, as series of ``gateway``."""
    for answer in read_journal(journal).answers:
        for quantity, value in answer.values.items():
            series = Series(gateway, f"{answer.meter}.{quantity}")
            yield Answered(series, answer.at_ms, answer.connection, value, answer.followed)


def records_of(load_profile: Path, gateway: str) -> Iterator[Recorded]:
    """Yield every value of a load profile, as series of ``gateway``."""
    for entry in read_load_profile(load_profile):
        yield Recorded(Series(gateway, entry.series), entry.t_ms, entry.value)


def rows_from_database(dsn: str, gateways: Iterable[str] | None = None) -> Iterator[Row]:
    """Yield the rows of all reading tables, of ``gateways`` or of all, from one snapshot.

    ``Retryable`` when the database is away.
    """
    given = None if gateways is None else sorted(gateways)
    with (
        postgres.translated(),
        postgres.connect(dsn, application="g60-judge") as connection,
        connection.transaction(),
        connection.cursor("judge") as cursor,
    ):
        cursor.itersize = _FETCHED
        cursor.execute(postgres.statement(__package__, "rows.sql"), {"gateways": given})
        for gateway, name, t_ms, whole, real, quality in cursor:
            yield Row(Series(gateway, name), t_ms, real if whole is None else whole, quality)
