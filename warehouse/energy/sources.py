"""What the registry and the births say of each register: its tracks, ratios and changes, in milliseconds and counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from typing import Final, NamedTuple

from warehouse.energy import power
from warehouse.energy.account import QUARTER_MS, Multiplier
from warehouse.energy.units import worth, worth_of_an_hour
from warehouse.energy.walk import Change, Register
from warehouse.postgres import Connection, statement

SQL: Final = "warehouse.energy"
FOREVER_MS: Final = (1 << 53) - 1
"""How the database tells infinite times, negative for the past."""


class RegisterKey(NamedTuple):
    """One register of one meter."""

    meter_id: int
    feed_in: bool


class Feed(NamedTuple):
    """A series that tells a register, from when until when."""

    series_id: int
    from_ms: int
    to_ms: int


def quarter_ms(t_ms: int) -> int:
    """Return when the quarter-hour of a time begins; an infinite time stays as it is."""
    return t_ms if abs(t_ms) >= FOREVER_MS else t_ms // QUARTER_MS * QUARTER_MS


def last_ms(feeds: Iterable[Feed]) -> int:
    """Return the end of the last quarter-hour that any of these may tell."""
    return -(-max(feed.to_ms for feed in feeds) // QUARTER_MS) * QUARTER_MS


@dataclass(frozen=True, slots=True)
class Track:
    """Series of one register that count alike, so that one's count goes on from the other's."""

    key: RegisterKey
    name: str
    """Unit, decimals and range."""
    register: Register
    feeds: tuple[Feed, ...]
    multipliers: tuple[Multiplier, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PowerTrack:
    """Series of power of one meter that are sampled alike; its energy is integrated."""

    key: RegisterKey
    gauge: power.Gauge
    feeds: tuple[Feed, ...]
    multipliers: tuple[Multiplier, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Every register that some series tells, and every meter of which some series tells the power only."""

    tracks: dict[RegisterKey, tuple[Track, ...]]
    """By register; of several tracks that know a quarter-hour the later one holds."""
    powers: dict[RegisterKey, tuple[PowerTrack, ...]]
    """By what would be its register; what a register knows of a quarter-hour holds against it."""
    of_series: dict[int, frozenset[RegisterKey]]
    refused: tuple[str, ...]
    """Series that cannot be accounted for, and why, for people."""

    @property
    def keys(self) -> Set[RegisterKey]:
        """All of them."""
        return self.tracks.keys() | self.powers.keys()


class _Spec(NamedTuple):
    unit: str
    decimals: int
    range: int


def read_sources(conn: Connection) -> Sources:
    """Read what is known now."""
    feeds: dict[RegisterKey, dict[_Spec, list[Feed]]] = defaultdict(lambda: defaultdict(list))
    rated: dict[tuple[RegisterKey, _Spec], float | None] = {}
    account_unit: dict[int, str] = {}
    of_series: dict[int, set[RegisterKey]] = defaultdict(set)
    refused = []
    for meter_id, feed_in, serial, unit, from_ms, to_ms, series_id, read_in, decimals, span, rated_max in conn.execute(
        statement(SQL, "sources.sql")
    ):
        key, spec = RegisterKey(meter_id, feed_in), _Spec(read_in, decimals, span)
        if worth(read_in, unit) is None:
            refused.append(f"meter {serial}: a register in {read_in} cannot become {unit} (计量单位无法换算)")
            continue
        account_unit[meter_id] = unit
        feeds[key][spec].append(Feed(series_id, from_ms, FOREVER_MS if to_ms is None else to_ms))
        rated[key, spec] = rated_max
        of_series[series_id].add(key)
    ratios = _ratios(conn)
    changes = _changes(conn)
    tracks: dict[RegisterKey, tuple[Track, ...]] = {}
    for key, by_spec in feeds.items():
        made = []
        for spec, of_spec in by_spec.items():
            per_unit = worth(spec.unit, account_unit[key.meter_id]) or Decimal(0)
            per_count = per_unit.scaleb(-spec.decimals)
            made.append(
                Track(
                    key,
                    f"{spec.unit}/{spec.decimals}/{spec.range}",
                    Register(spec.range, _per_hour(rated[key, spec], spec.decimals)),
                    tuple(of_spec),
                    tuple(_multipliers(ratios.get(key.meter_id, []), per_count)),
                    tuple(
                        Change(at_ms, _cut(old_end, spec.decimals), _cut(new_start, spec.decimals))
                        for at_ms, old_end, new_start in changes.get(key, [])
                    ),
                )
            )
        tracks[key] = tuple(sorted(made, key=lambda track: max(feed.series_id for feed in track.feeds)))
    powers, not_power = _powers(conn, ratios)
    for key, of_key in list(powers.items()):
        # What flows back is told by the same samples, unless something of its own tells it.
        fed_back = key._replace(feed_in=True)
        if fed_back not in tracks and fed_back not in powers:
            powers[fed_back] = tuple(replace(track, key=fed_back) for track in of_key)
    for key, of_key in powers.items():
        for track in of_key:
            for feed in track.feeds:
                of_series[feed.series_id].add(key)
    known = {series: frozenset(keys) for series, keys in of_series.items()}
    return Sources(tracks, powers, known, (*refused, *not_power))


class _Sampled(NamedTuple):
    unit: str
    interval_ms: int
    rated_max: float | None


def _powers(
    conn: Connection, ratios: dict[int, list[_Ratio]]
) -> tuple[dict[RegisterKey, tuple[PowerTrack, ...]], list[str]]:
    feeds: dict[RegisterKey, dict[_Sampled, list[Feed]]] = defaultdict(lambda: defaultdict(list))
    account_unit: dict[int, str] = {}
    refused = []
    rows = conn.execute(statement(SQL, "power_sources.sql"))
    for meter_id, feed_in, serial, unit, from_ms, to_ms, series_id, read_in, interval_ms, rated_max in rows:
        if worth_of_an_hour(read_in, unit) is None:
            refused.append(f"meter {serial}: a gauge in {read_in} is no power of {unit} (不是功率序列)")
            continue
        account_unit[meter_id] = unit
        key, sampled = RegisterKey(meter_id, feed_in), _Sampled(read_in, interval_ms, rated_max)
        feeds[key][sampled].append(Feed(series_id, from_ms, FOREVER_MS if to_ms is None else to_ms))
    powers = {}
    for key, by_sampled in feeds.items():
        made = []
        for sampled, of_sampled in by_sampled.items():
            per_hour = worth_of_an_hour(sampled.unit, account_unit[key.meter_id]) or Decimal(0)
            most = None if sampled.rated_max is None else power.nano(sampled.rated_max)
            made.append(
                PowerTrack(
                    key,
                    power.Gauge(power.limit_ms(sampled.interval_ms), most),
                    tuple(of_sampled),
                    tuple(_multipliers(ratios.get(key.meter_id, []), per_hour.scaleb(-power.NANO))),
                )
            )
        powers[key] = tuple(sorted(made, key=lambda track: max(feed.series_id for feed in track.feeds)))
    return powers, refused


class _Ratio(NamedTuple):
    product: Decimal
    from_ms: int
    to_ms: int | None


def _ratios(conn: Connection) -> dict[int, list[_Ratio]]:
    found: dict[int, list[_Ratio]] = defaultdict(list)
    for meter_id, pt, ct, from_ms, to_ms in conn.execute(statement(SQL, "multipliers.sql")):
        of_meter = found[meter_id]
        if of_meter and of_meter[-1].product == pt * ct and of_meter[-1].to_ms == from_ms:
            # The same ratio registered again is no change that an interval would have to be split for.
            of_meter[-1] = of_meter[-1]._replace(to_ms=to_ms)
        else:
            of_meter.append(_Ratio(pt * ct, from_ms, to_ms))
    return found


def _changes(conn: Connection) -> dict[RegisterKey, list[tuple[int, Decimal, Decimal]]]:
    found: dict[RegisterKey, list[tuple[int, Decimal, Decimal]]] = defaultdict(list)
    for meter_id, feed_in, at_ms, old_end, new_start in conn.execute(statement(SQL, "changes.sql")):
        found[RegisterKey(meter_id, feed_in)].append((at_ms, old_end, new_start))
    return found


def _multipliers(ratios: Iterable[_Ratio], per_count: Decimal) -> Iterable[Multiplier]:
    return (Multiplier(ratio.from_ms, ratio.to_ms, ratio.product * per_count) for ratio in ratios)


def _per_hour(rated_max: float | None, decimals: int) -> int | None:
    """Return the rated maximum in counts; the one number that comes as a float, rounded up before it is used."""
    return None if rated_max is None else max(1, ceil(Decimal(repr(rated_max)).scaleb(decimals)))


def _cut(display: Decimal, decimals: int) -> int:
    return int(display.scaleb(decimals))
