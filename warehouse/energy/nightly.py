"""Runs checks: the one of every night, piece by piece, and those that are asked for.

Each leaves a row of what it found in energy.check_run, the only thing that is written. How far a night's check has
come stands there too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Final

from psycopg.types.json import Jsonb

from edge_agent.contract.errors import Misconfigured
from warehouse.energy.check import MOST_EXAMPLES, PIECE, Checked, check_meters, next_meters
from warehouse.energy.sources import SQL
from warehouse.postgres import Connection, alone_or_not, statement, translated
from warehouse.times import SHANGHAI

FROM_HOUR: Final = 2
"""The night's check begins at this hour of Shanghai, when the last readings of the day before have long arrived."""
RECENT: Final = timedelta(days=35)
"""Checked every night: what late readings usually change. Of what is older one month a night, in turn."""
_LOCK: Final = 0x6730_0021
"""Advisory lock: one nightly check at a time in a database."""


@dataclass(frozen=True, slots=True)
class Tonight:
    """What a call came to."""

    night: date
    checked: Checked
    left: bool
    """True when there is more to do for this night."""


def check_asked(
    conn: Connection, from_day: date, to_day: date, serials: Sequence[str] | None, started_at: datetime
) -> Checked:
    """Check meters, all when ``serials`` is ``None``, from ``from_day`` until before ``to_day``; leave a row.

    ``Misconfigured`` when there is no meter with one of the serial numbers.
    """
    with translated():
        if serials is not None:
            rows = conn.execute(statement(SQL, "check_known.sql"), {"serials": list(serials)})
            known = {row[0] for row in rows}
            for serial in serials:
                if serial not in known:
                    raise Misconfigured(f"no meter {serial} (没有这块表)")
        total, after = Checked(), 0
        while meters := next_meters(conn, after, serials):
            total.add(check_meters(conn, meters, from_day, to_day))
            after = meters[-1]
        conn.execute(
            statement(SQL, "check_add.sql"),
            _counts(total)
            | {
                "from_day": from_day,
                "to_day": to_day,
                "serials": None if serials is None else list(serials),
                "started_at": started_at,
                "after_meter": after,
            },
        )
        return total


def serials_of(conn: Connection, found: Checked) -> dict[int, str]:
    """Return the serial numbers of the meters that differ."""
    asked = {"meters": sorted({one.meter_id for one in found.examples})}
    return {int(meter_id): str(serial) for meter_id, serial in conn.execute(statement(SQL, "check_serials.sql"), asked)}


def check_tonight(conn: Connection, now: datetime, go_on: Callable[[], bool], piece: int = PIECE) -> Tonight | None:
    """Go on with the check of this night while ``go_on()``; ``None`` before its hour, or while another run is at work.

    It checks the last ``RECENT`` days before today, then one older month.
    """
    local = now.astimezone(SHANGHAI)
    if local.hour < FROM_HOUR:
        return None
    night, total = local.date(), Checked()
    with alone_or_not(conn, _LOCK) as free:
        if not free:
            return None
        _begin(conn, night)
        while (under_way := conn.execute(statement(SQL, "check_open.sql"), {"night": night}).fetchone()) is not None:
            if not go_on():
                return Tonight(night, total, left=True)
            check_id, from_day, to_day, after = under_way
            meters = next_meters(conn, after, limit=piece)
            found = check_meters(conn, meters, from_day, to_day) if meters else Checked()
            conn.execute(
                statement(SQL, "check_go_on.sql"),
                _counts(found)
                | {
                    "check_id": check_id,
                    "after_meter": meters[-1] if meters else after,
                    "finished": not meters,
                    "most": MOST_EXAMPLES,
                },
            )
            total.add(found)
    return Tonight(night, total, left=False)


def _begin(conn: Connection, night: date) -> None:
    """Leave the rows of this night's checks, unless they are there."""
    begun = {row[0] for row in conn.execute(statement(SQL, "check_begun.sql"), {"night": night})}
    if "recent" not in begun:
        period = {"part": "recent", "night": night, "from_day": night - RECENT, "to_day": night}
        conn.execute(statement(SQL, "check_begin.sql"), period)
    if "older" not in begun:
        month = conn.execute(statement(SQL, "check_older.sql"), {"before": night - RECENT}).fetchone()
        if month is not None:
            period = {"part": "older", "night": night, "from_day": month[0], "to_day": month[1]}
            conn.execute(statement(SQL, "check_begin.sql"), period)


def _counts(found: Checked) -> dict[str, object]:
    return {
        "checked": found.meters,
        "waiting": found.waiting,
        "compared": found.compared,
        "undecided": found.undecided,
        "differing": found.differing,
        "examples": Jsonb([asdict(one) for one in found.examples]),
    }
