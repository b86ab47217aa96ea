"""A year of energy accounts: how long those wait who ask for a meter's year, a district's month, a park's own month.

A quarter-hour, an hour, a day and a month of every meter are written with SQL, since the job would take hours for
70 million of them; the tables, their indexes and the views are those of the warehouse. Each question is asked by the
role that would ask it, of another meter, park or month each time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from itertools import pairwise
from typing import Final, LiteralString

from psycopg import ClientCursor
from psycopg.conninfo import make_conninfo

from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say
from tests.benchmarks.stage import Place, Stage
from warehouse import postgres
from warehouse.access.kinds import Asked, Kind
from warehouse.access.roles import grant, revoke
from warehouse.postgres import Connection, statement
from warehouse.registry import uscc
from warehouse.times import SHANGHAI

YEAR: Final = 2025
PARKS: Final = tuple(f"bench-park-{number:02}" for number in range(20))
METERS_AN_ENTERPRISE: Final = 5
ASKED: Final = 40
"""How often each question is asked."""

METER_YEAR: Final = """
  SELECT day, energy, unknown FROM look.day WHERE serial = %(serial)s AND day >= %(year)s ORDER BY day
"""
PARKS_MONTH: Final = """
  SELECT area, energy, enterprises, unknown FROM look.area_month WHERE month = %(month)s ORDER BY area
"""
PUBLISHED_MONTH: Final = """
  SELECT area, energy, members, withheld FROM published.park_month WHERE month = %(month)s ORDER BY area
"""
OWN_MONTH: Final = """
  SELECT uscc, sum(energy) AS energy, sum(unknown) AS unknown FROM look.month
  WHERE month = %(month)s AND NOT feed_in AND role = 'boundary' GROUP BY uscc ORDER BY energy DESC
"""
OWN_YEAR: Final = """
  SELECT day, sum(energy) AS energy FROM look.day
  WHERE day >= %(year)s AND NOT feed_in AND role = 'boundary' GROUP BY day ORDER BY day
"""


def accounts(stage: Stage, scale: Scale, say: Say) -> Result:
    """Fill a year; then ask as the district and as a park. Milliseconds until the last row is at the client."""
    with stage.place() as place, ExitStack() as ending:
        rows = fill(place, scale.account_meters, scale.account_months, say)
        serials = [{"serial": f"bench-{1 + number * 37 % scale.account_meters}"} for number in range(ASKED)]
        year = {"year": date(YEAR, 1, 1)}
        months = [{"month": date(YEAR, 1 + number % scale.account_months, 1)} for number in range(ASKED)]
        district = ending.enter_context(_as(place, Asked(Kind.DISTRICT)))
        park = ending.enter_context(_as(place, Asked(Kind.PARK, areas=PARKS[:1])))
        found: dict[str, object] = {"quarters": rows, "meters": scale.account_meters}
        for name, who, query, values in (
            ("meter_year", district, METER_YEAR, [serial | year for serial in serials]),
            ("parks_month", district, PARKS_MONTH, months),
            ("published_month", district, PUBLISHED_MONTH, months),
            ("own_month", park, OWN_MONTH, months),
            ("own_year", park, OWN_YEAR, [year] * ASKED),
        ):
            median_ms, p95_ms = _asked(who, query, values)
            found[name] = {"ms": median_ms, "p95_ms": p95_ms}
            say(f"  {name}: {median_ms:.1f} ms, p95 {p95_ms:.1f} ms")
        return found


def fill(place: Place, meters: int, months: int, say: Say) -> int:
    """Write the accounts of ``meters`` for the first ``months`` of the year; return how many quarter-hours."""
    codes = []
    for number in range(max(len(PARKS), meters // METERS_AN_ENTERPRISE)):
        first17 = f"91310117MA3{number:06d}"
        codes.append(first17 + uscc.check_character(first17))
    with place.database() as connection:
        # Whoever writes 70 million rows at once need not have each of them checked for its meter.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET work_mem = '256MB'")
        cursor = ClientCursor(connection)  # several statements in one file
        cursor.execute(
            statement("tests.benchmarks", "accounts_registry.sql"),
            {"parks": list(PARKS), "enterprises": codes, "meters": meters},
        )
        began_mono_s = time.monotonic()
        for month, (start, end) in enumerate(_months(months), 1):
            for file in ("accounts_quarters.sql", "accounts_sums.sql"):
                with connection.transaction():
                    cursor.execute(statement("tests.benchmarks", file), {"from": start, "to": end})
            say(f"  month {month} of {months}, {time.monotonic() - began_mono_s:.0f} s")
        connection.execute("VACUUM (ANALYZE) energy.quarter, energy.hour, energy.day, energy.month, energy.holder")
        (row,) = connection.execute("SELECT count(*) FROM energy.quarter").fetchall()
        return int(row[0])


@contextmanager
def _as(place: Place, asked: Asked) -> Iterator[Connection]:
    """Give a connection of a role that is made for it and dropped afterwards."""
    with place.database() as owner:
        granted = grant(owner, asked, None, None)
        try:
            dsn = make_conninfo(place.dsn, user=granted.role, password=granted.password or "")
            with postgres.connect(dsn, application="g60 bench") as connection:
                yield connection
        finally:
            revoke(owner, granted.role)


def _asked(connection: Connection, query: LiteralString, values: Sequence[Mapping[str, object]]) -> tuple[float, float]:
    """Return median and 95th percentile of milliseconds; ``RuntimeError`` when a question has no answer."""
    took_ms = []
    for parameters in values:
        began_mono_s = time.monotonic()
        rows = connection.execute(query, parameters).fetchall()
        took_ms.append((time.monotonic() - began_mono_s) * 1000)
        if not rows:
            raise RuntimeError(f"no answer for {parameters}")
    return statistics.median(took_ms), statistics.quantiles(took_ms, n=20)[-1]


def _months(months: int) -> Iterator[tuple[datetime, datetime]]:
    edges = [datetime(YEAR + number // 12, number % 12 + 1, 1, tzinfo=SHANGHAI) for number in range(months + 1)]
    yield from pairwise(edges)
