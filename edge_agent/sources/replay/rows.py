"""A line of a file to a reading: pure; any line gives a reading or ``BadRecord``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from edge_agent.clock import plausible
from edge_agent.contract.birth import Kind, SeriesSpec, check_value
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.quality import Quality
from edge_agent.sources import Reading
from edge_agent.sources.replay.settings import RegisterText

MAX_LINE_BYTES: Final = 4_096
EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01 UTC: before it lie clocks that were never set, and seconds taken for milliseconds."""

SLACK_MS: Final = 31 * 86_400_000
"""How far beyond the gateway's clock a reading may lie: a clock without battery may be behind by as much."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_REQUIRED: Final = ("t", "series", "value")
_COLUMNS: Final = (*_REQUIRED, "quality")
_QUALITIES: Final = {str(quality.value): quality for quality in Quality}


class RowParser:
    """Parses the lines of one file.

    ``header`` is its first line: the columns ``t``, ``series``, ``value`` and perhaps ``quality`` in any order, else
    ``BadRecord("columns")``. ``latest_ms`` (UTC) is the last time that a reading of the past can have.
    """

    def __init__(self, header: str, specs: Mapping[str, SeriesSpec], registers: RegisterText, latest_ms: int) -> None:
        columns = _fields(header)
        if len(set(columns)) < len(columns) or not set(_REQUIRED) <= set(columns) <= set(_COLUMNS):
            raise BadRecord("columns", f"found {','.join(columns)[:200]!r}; allowed: t,series,value[,quality]")
        self._width = len(columns)
        self._t, self._series, self._value = (columns.index(name) for name in _REQUIRED)
        self._quality = columns.index("quality") if "quality" in columns else None
        self._specs = specs
        self._registers = registers
        self._latest_ms = latest_ms
        self._last_t = ("", 0)

    def parse(self, line: str) -> Reading:
        """Return the reading of ``line``.

        Reasons: ``too_long``, ``columns``, ``time``, ``series``, ``number``, ``decimals``, ``quality``, and those of
        :func:`.check_value`. The detail says what was found and what is allowed.
        """
        if len(line) > MAX_LINE_BYTES:
            raise BadRecord("too_long", f"found more than {MAX_LINE_BYTES} bytes; allowed: at most that")
        fields = _fields(line)
        if len(fields) != self._width:
            raise BadRecord("columns", f"found {len(fields)} columns; allowed: {self._width}, as in the header")
        name = fields[self._series]
        spec = self._specs.get(name)
        if spec is None:
            raise BadRecord("series", f"found {name[:100]!r}; allowed: a series that this gateway declares")
        t_ms = self._time(fields[self._t])
        quality = Quality.GOOD if self._quality is None else _quality(fields[self._quality])
        text = fields[self._value]
        if not text:
            if quality.usable:
                raise BadRecord("number", "found no value; allowed: a number, or none with quality 100 or 110")
            return Reading(name, t_ms, None, quality)
        value = self._number(text, spec)
        check_value(spec, value)
        return Reading(name, t_ms, value, quality)

    def _time(self, text: str) -> int:
        # Exports list many series for each time.
        if text == self._last_t[0]:
            return self._last_t[1]
        t_ms = _time_ms(text)
        if not EARLIEST_MS <= t_ms <= self._latest_ms:
            raise BadRecord(
                "time",
                f"found {text!r}; allowed: UTC ms or ISO 8601, {_shown(EARLIEST_MS)} … {_shown(self._latest_ms)}",
            )
        self._last_t = (text, t_ms)
        return t_ms

    def _number(self, text: str, spec: SeriesSpec) -> int | float:
        if spec.kind is Kind.GAUGE:
            number = float(text) if _NUMBER.fullmatch(text) else math.nan
            if not math.isfinite(number):
                raise BadRecord("number", f"found {text[:100]!r}; allowed: a finite decimal number")
            return number
        if spec.kind is Kind.REGISTER and self._registers is RegisterText.DISPLAY:
            return least_digits(text, spec.decimals or 0)
        if not _INTEGER.fullmatch(text):
            raise BadRecord("number", f"found {text[:100]!r}; allowed: an integer")
        return int(text)


def latest_ms(now_ms: int) -> int:
    """Return the last time that a reading of the past can have, given the gateway's clock.

    Catches microseconds taken for milliseconds. A clock that was never set bounds nothing but the year 9999.
    """
    return now_ms + SLACK_MS if plausible(now_ms) else 253_402_300_799_999


def least_digits(text: str, decimals: int) -> int:
    """Return the decimal number ``text`` in units of its ``decimals``-th decimal, exactly, or raise ``BadRecord``.

    Zeros beyond the declared decimals are no information and are let pass.
    """
    if not _NUMBER.fullmatch(text):
        raise BadRecord("number", f"found {text[:100]!r}; allowed: a decimal number")
    whole, _, decimal = text.partition(".")
    if len(decimal) <= decimals and "e" not in text and "E" not in text:
        return int(whole + decimal.ljust(decimals, "0"))
    least = Fraction(text) * int(10**decimals)
    if least.denominator != 1:
        raise BadRecord("decimals", f"found {text[:100]!r}; allowed: at most {decimals} decimals")
    return least.numerator


def _time_ms(text: str) -> int:
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRecord("time", f"found {text[:100]!r}; allowed: ISO 8601 with offset, or UTC ms") from error
    if moment.tzinfo is None:
        raise BadRecord("time", f"found {text!r} without offset; allowed: with one, such as +08:00, or UTC ms")
    try:
        return (moment - _EPOCH) // _MS
    except OverflowError as error:
        raise BadRecord("time", f"found {text!r}; allowed: years 2000 and later") from error


def _quality(text: str) -> Quality:
    quality = _QUALITIES.get(text or "0")
    if quality is None:
        raise BadRecord("quality", f"found {text[:100]!r}; allowed: {', '.join(_QUALITIES)}")
    return quality


def _fields(line: str) -> list[str]:
    """Split a line at its commas; no field here can hold one, so a stray quote cannot swallow the lines that follow."""
    fields = [field.strip() for field in line.split(",")]
    if '"' in line:
        fields = [field[1:-1] if len(field) > 1 and field[0] == field[-1] == '"' else field for field in fields]
    return fields


def _shown(t_ms: int) -> str:
    return (_EPOCH + t_ms * _MS).isoformat(timespec="seconds")
