"""One meter's account from files, without a database: what `g60 warehouse energy explain` prints.

`readings.csv` has columns t (ISO 8601 with offset), value (as displayed), and may have quality (a code of the
contract, 0 when left out); `events.csv` has at, old_end, new_start (as displayed); `meter.toml` is :class:`MeterFile`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from edge_agent.contract.errors import BadRecord
from edge_agent.contract.quality import Quality
from edge_agent.contract.settings import Settings, load
from warehouse.energy.account import QUARTER_MS, Account, Multiplier, account
from warehouse.energy.walk import Change, Register, in_order
from warehouse.times import to_ms

HEADER: Final = ("start", "end", "energy", "quality", "reason")
Factor = Annotated[Decimal, Field(gt=0)]


class RatioFile(Settings):
    """Transformer ratios for a time."""

    pt: Factor = Decimal(1)
    """Voltage transformer ratio."""
    ct: Factor = Decimal(1)
    """Current transformer ratio."""
    valid_from: AwareDatetime | None = None
    """From when; without it from ever."""
    valid_to: AwareDatetime | None = None
    """Until when (exclusive); without it for good."""


class MeterFile(Settings):
    """What must be known of a register to account for it."""

    decimals: Annotated[int, Field(ge=0, le=9)]
    """Decimal places of the display."""
    range: Factor
    """Largest display plus one least digit, 1000000.00 for a display of 999999.99."""
    rated_max: Factor | None = None
    """Largest plausible growth in one hour, in the unit of the display; without it no jump up is noticed."""
    multiplier: tuple[RatioFile, ...] = (RatioFile(),)
    """Transformer ratios, several when they changed."""


def explain(readings: Path, meter: Path, events: Path | None = None) -> tuple[Account, tzinfo | None]:
    """Account for the files, from the quarter-hour of the first reading to that of the last.

    The second value is the time zone the first reading is written in. ``Misconfigured`` for a wrong meter file,
    ``BadRecord`` (``csv``) for a wrong row.
    """
    spec = load(MeterFile, [meter])
    rows = [(_instant(row["t"]), row["value"], int(row.get("quality") or 0)) for row in _rows(readings, "t", "value")]
    usable = [
        (to_ms(t), _counts(value, spec), quality)
        for t, value, quality in rows
        if value and quality < Quality.BAD and quality != Quality.CLOCK_UNSYNCED
    ]
    ordered = in_order(usable)
    changes = [
        Change(to_ms(_instant(row["at"])), _counts(row["old_end"], spec), _counts(row["new_start"], spec))
        for row in (_rows(events, "at", "old_end", "new_start") if events else ())
    ]
    least_digit = Decimal(1).scaleb(-spec.decimals)
    ratios = [
        Multiplier(
            0 if ratio.valid_from is None else to_ms(ratio.valid_from),
            None if ratio.valid_to is None else to_ms(ratio.valid_to),
            ratio.pt * ratio.ct * least_digit,
        )
        for ratio in spec.multiplier
    ]
    most = None if spec.rated_max is None else int(spec.rated_max.scaleb(spec.decimals))
    start_ms = ordered[0].t_ms // QUARTER_MS * QUARTER_MS if ordered else 0
    end_ms = -(-ordered[-1].t_ms // QUARTER_MS) * QUARTER_MS if ordered else 0
    register = Register(_counts(str(spec.range), spec), most)
    made = account(ordered, register, ratios, changes, start_ms=start_ms, end_ms=end_ms)
    return made, rows[0][0].tzinfo if rows else None


def lines(made: Account, zone: tzinfo | None) -> Iterator[tuple[str, str, str, str, str]]:
    """Give the account's intervals as cells of a CSV file with :data:`HEADER`."""
    for interval in made.intervals:
        start = datetime.fromtimestamp(interval.start_ms / 1000, zone)
        yield (
            start.isoformat(),
            (start + timedelta(milliseconds=QUARTER_MS)).isoformat(),
            "" if interval.energy is None else f"{interval.energy:f}",
            interval.quality.value,
            interval.reason or "",
        )


def _rows(path: Path, *needed: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in needed if name not in (reader.fieldnames or ())]:
            raise BadRecord("csv", f"{path}: no column {', '.join(missing)}")
        yield from reader


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRecord("csv", f"{text!r} is no ISO 8601 time") from error
    if moment.tzinfo is None:
        raise BadRecord("csv", f"{text!r} has no offset from UTC")
    return moment


def _counts(display: str, spec: MeterFile) -> int:
    try:
        counts = Decimal(display).scaleb(spec.decimals)
    except ArithmeticError as error:
        raise BadRecord("csv", f"{display!r} is no number") from error
    if counts != int(counts):
        raise BadRecord("csv", f"{display} has more than {spec.decimals} decimal places")
    return int(counts)
