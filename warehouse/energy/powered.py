"""Reads the samples of meters that tell their power only, and integrates them piece by piece.

A sample changes only quarter-hours within its gauge's limit, so there are no checkpoints: what is near a mark is
computed, whatever lies before and after. What was integrated of samples that have been dropped since then stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from warehouse.energy import power
from warehouse.energy.account import QUARTER_MS, Interval, Quality, merge
from warehouse.energy.sources import FOREVER_MS, SQL, PowerTrack, RegisterKey, last_ms, quarter_ms
from warehouse.energy.store import Recomputed
from warehouse.postgres import Connection, statement
from warehouse.times import DAY_MS

PIECE_MS: Final = DAY_MS
"""Samples of this time are held in memory at once."""


class Window(NamedTuple):
    """A time of which samples, or what is known of their meter, changed; both ends belong to it."""

    from_ms: int
    to_ms: int


def recompute(
    conn: Connection,
    powers: Mapping[RegisterKey, Sequence[PowerTrack]],
    marked: Sequence[tuple[RegisterKey, Sequence[Window]]],
    through_ms: int,
) -> Iterator[Recomputed]:
    """Compute accounts near what is marked, through the closed time; of meters that have no register."""
    tracks = [track for key, _ in marked for track in powers[key]]
    first_ms: dict[RegisterKey, int] = {}
    for track, t_ms in begins(conn, tracks, {track.key: -FOREVER_MS for track in tracks}):
        first_ms[track.key] = min(t_ms, first_ms.get(track.key, t_ms))
    for key, windows in marked:
        yield from _near(conn, key, powers[key], windows, first_ms.get(key, FOREVER_MS), through_ms)


def _near(
    conn: Connection,
    key: RegisterKey,
    tracks: Sequence[PowerTrack],
    windows: Sequence[Window],
    first_ms: int,
    through_ms: int,
) -> Iterator[Recomputed]:
    limit_ms = max(track.gauge.limit_ms for track in tracks)
    end_ms = min(through_ms, last_ms(feed for track in tracks for feed in track.feeds))
    for from_ms, to_ms in near(windows, limit_ms, first_ms):
        start_ms = max(from_ms, quarter_ms(first_ms))
        found = all_intervals(conn, key, tracks, start_ms, min(to_ms, end_ms))
        yield Recomputed(key, from_ms, tuple(found), (), to_ms)


def all_intervals(
    conn: Connection, key: RegisterKey, tracks: Sequence[PowerTrack], start_ms: int, end_ms: int
) -> Sequence[Interval]:
    """Return what all tracks of a meter know of the quarter-hours within [start, end), in order.

    Where samples have been dropped it is what was integrated before.
    """
    found: dict[int, Interval] = {}
    kept_ms = min(max(start_ms, _kept_ms(conn)), end_ms) if tracks else end_ms
    if tracks and start_ms < kept_ms:
        asked = {"meter": key.meter_id, "feed_in": key.feed_in, "from_ms": start_ms, "to_ms": kept_ms}
        for t_ms, energy, reason in conn.execute(statement(SQL, "power_stored.sql"), asked):
            found[t_ms] = Interval(t_ms, None, energy, Quality.ESTIMATED, reason)
    for track in tracks:
        merge(found, intervals(conn, track, kept_ms, end_ms))
    return tuple(found.values())


def near(windows: Sequence[Window], limit_ms: int, first_ms: int) -> list[Window]:
    """Return the quarter-hours [from, to) that windows touch, apart from each other, in order.

    Where the first sample of all is marked, or one before it that is gone, the account may begin elsewhere: then all
    that follows is touched.
    """
    found: list[Window] = []
    for window in sorted(windows):
        from_ms = quarter_ms(max(window.from_ms - limit_ms, -FOREVER_MS))
        endless = window.to_ms >= FOREVER_MS or window.from_ms <= first_ms
        to_ms = FOREVER_MS if endless else quarter_ms(window.to_ms + limit_ms) + QUARTER_MS
        if found and from_ms <= found[-1].to_ms:
            found[-1] = Window(found[-1].from_ms, max(to_ms, found[-1].to_ms))
        else:
            found.append(Window(from_ms, to_ms))
    return found


def begins(
    conn: Connection, tracks: Sequence[PowerTrack], marked_ms: Mapping[RegisterKey, int]
) -> Iterator[tuple[PowerTrack, int]]:
    """Give each track that has any sample, or had before it was dropped, and from when its account may have changed.

    A track may be given twice; the earlier time holds.
    """
    asked = _asked(tracks, -FOREVER_MS, FOREVER_MS)
    for place, first_ms in conn.execute(statement(SQL, "sample_first.sql"), asked).fetchall():
        track = tracks[place]
        yield track, max(first_ms, marked_ms[track.key] - track.gauge.limit_ms)
    kept_ms = _kept_ms(conn) if tracks else -FOREVER_MS
    if kept_ms > -FOREVER_MS:
        keys = {"meters": [t.key.meter_id for t in tracks], "feeds": [t.key.feed_in for t in tracks]}
        rows = conn.execute(statement(SQL, "power_stored_first.sql"), keys | {"before_ms": kept_ms}).fetchall()
        for place, first_ms in rows:
            track = tracks[place]
            yield track, max(first_ms, marked_ms[track.key] - track.gauge.limit_ms)


def intervals(
    conn: Connection, track: PowerTrack, start_ms: int, end_ms: int, *, until_ms: int = FOREVER_MS
) -> Iterator[Interval]:
    """Give every quarter-hour within [start, end), in order, as samples before ``until_ms`` tell it."""
    limit_ms = track.gauge.limit_ms
    for from_ms in range(start_ms, end_ms, PIECE_MS):
        to_ms = min(from_ms + PIECE_MS, end_ms)
        asked = _asked([track], from_ms - limit_ms, min(to_ms + limit_ms + 1, until_ms))
        samples = power.in_order(conn.execute(statement(SQL, "samples.sql"), asked), track.gauge)
        yield from power.integrate(
            samples.kept,
            track.gauge,
            track.multipliers,
            feed_in=track.key.feed_in,
            start_ms=from_ms,
            end_ms=to_ms,
        )


def _kept_ms(conn: Connection) -> int:
    """Return from when on samples are all there, -FOREVER_MS while none was ever dropped."""
    row = conn.execute(statement(SQL, "power_kept.sql")).fetchone()
    return -FOREVER_MS if row is None else int(row[0])


def _asked(tracks: Sequence[PowerTrack], from_ms: int, to_ms: int) -> dict[str, list[int]]:
    feeds = [(place, feed) for place, track in enumerate(tracks) for feed in track.feeds]
    return {
        "places": [place for place, _ in feeds],
        "series": [feed.series_id for _, feed in feeds],
        "from_ms": [max(feed.from_ms, from_ms) for _, feed in feeds],
        "to_ms": [min(feed.to_ms, to_ms) for _, feed in feeds],
    }
