"""Late readings: whatever the sink and the job do at the same time, nothing is lost, and nothing else is touched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest

from edge_agent.contract.birth import Kind, SeriesSpec
from tests.warehouse.energy.plant import QUARTER, Plant
from tests.warehouse.sink.feed import Log, birth, eventually, sink, telemetry, write
from warehouse.energy import job
from warehouse.energy.changed import changed_days
from warehouse.energy.job import close
from warehouse.postgres import Connection, connect, statement
from warehouse.sink import batches
from warehouse.sink.store import PostgresStore
from warehouse.times import SHANGHAI, to_ms

REGISTER = SeriesSpec(
    device="main",
    quantity="active_energy",
    unit="kWh",
    kind=Kind.REGISTER,
    interval_ms=900_000,
    decimals=2,
    range=10**8,
)
OF = birth(series={"a": REGISTER, "b": REGISTER.model_copy(update={"device": "other"})})
START = datetime(2026, 8, 31, 20, 0, tzinfo=SHANGHAI)
WITHIN_S = 60.0


class Site:
    """A gateway with two registers, its sink, and the job; the accounts of meter ``a`` are looked at."""

    def __init__(self, conn: Connection, dsn: str, store: PostgresStore) -> None:
        self.plant, self.dsn, self.store = Plant(conn), dsn, store
        self._log, self._seq = Log(), 0
        self.meters = {name: self.plant.meter(name) for name in ("a", "b")}
        for name, meter in self.meters.items():
            self.plant.feed(meter, "gw", name)
        write(store, self._log.birth(OF))

    def read(self, *readings: tuple[datetime, int], series: str = "a") -> None:
        """Have the sink store one message."""
        self._seq += 1
        points = [(to_ms(t), counts) for t, counts in readings]
        write(self.store, self._log.message(telemetry(OF, self._seq, {series: points})))

    def close(self, through: datetime) -> None:
        """Run the job on a connection of its own."""
        with connect(self.dsn, application="test job") as conn:
            close(conn, through)

    def waiting(self) -> bool:
        """Whether somebody waits for a lock of somebody else."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return self.plant.conn.execute(query).fetchone() == (1,)


@pytest.fixture
def site(ready: Connection, ready_dsn: str) -> Iterator[Site]:
    with sink(ready_dsn) as store:
        yield Site(ready, ready_dsn, store)


@contextmanager
def beside(act: Callable[[], None]) -> Iterator[None]:
    """Let ``act`` run in a thread of its own; what it raises is raised here, at the end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  # raised again below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(WITHIN_S)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def test_a_job_waits_for_the_sink_that_began_before_it_and_sees_what_it_stored(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.read((START, 0), (START + 2 * QUARTER, 20))
    through = START + 2 * QUARTER
    stored, may_commit = threading.Event(), threading.Event()
    end = batches.end

    def end_later(conn: Connection, batch: int, name: str, messages: int, readings: int) -> None:
        stored.set()
        assert may_commit.wait(WITHIN_S)
        end(conn, batch, name, messages, readings)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "end", end_later)
        with beside(lambda: site.read((START + QUARTER, 5))):
            assert stored.wait(WITHIN_S)
            with beside(lambda: site.close(through)):
                eventually(site.waiting, WITHIN_S)
                assert site.plant.energies(site.meters["a"]) == []
                may_commit.set()
    assert site.plant.energies(site.meters["a"]) == ["0.05", "0.15"]
    assert site.plant.marks() == 0


@pytest.mark.parametrize("stage", ["watermark_lock", "watermark_move", "dirty_closed", "marks", "marks_done"])
def test_a_reading_that_comes_during_a_run_is_in_the_account_after_the_next_run_at_the_latest(
    site: Site, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    site.read((START, 0), (START + 2 * QUARTER, 20))
    through = START + 2 * QUARTER
    # Between these two the job holds the watermark: a sink that comes then has to wait, and then sees where it stands.
    held = stage in {"watermark_move", "dirty_closed"}
    writing: list[threading.Thread] = []

    def beside_the_job(package: str, name: str) -> object:
        if name == f"{stage}.sql" and not writing:
            thread = threading.Thread(target=site.read, args=[(START + QUARTER, 5)], daemon=True)
            writing.append(thread)
            thread.start()
            if held:
                eventually(site.waiting, WITHIN_S)
            else:
                thread.join(WITHIN_S)
                assert not thread.is_alive()
        return statement(package, name)

    with monkeypatch.context() as patch:
        patch.setattr(job, "statement", beside_the_job)
        site.close(through)
    (thread,) = writing
    thread.join(WITHIN_S)
    assert not thread.is_alive()
    if not held:
        assert site.plant.marks() == (stage == "marks_done"), "a mark is left when the job could not have seen it"
    site.close(through)
    assert site.plant.energies(site.meters["a"]) == ["0.05", "0.15"]
    assert site.plant.marks() == 0


KEYS = {"quarter": "start", "hour": "start", "day": "day", "month": "month"}
Rows = dict[str, dict[tuple[object, ...], tuple[object, ...]]]


def everything(conn: Connection) -> Rows:
    """Whole tables, with the time of computation, by key."""
    found: Rows = {}
    for table, key in KEYS.items():
        rows = conn.execute(
            f"SELECT meter_id, feed_in, {key}, t.* FROM energy.{table} AS t".encode()  # noqa: S608  # our names
        ).fetchall()
        found[table] = {row[:3]: row[3:] for row in rows}
    return found


def differing(before: Rows, after: Rows, meter: int) -> dict[str, list[object]]:
    """When rows of ``meter`` differ, by table; no other meter's may."""
    told: dict[str, list[object]] = {}
    for table in KEYS:
        assert before[table].keys() == after[table].keys()
        keys = sorted(key for key in before[table] if before[table][key] != after[table][key])
        assert {key[:2] for key in keys} <= {(meter, False)}
        told[table] = [key[2] for key in keys]
    return told


def quarters(first: datetime, last: datetime) -> list[datetime]:
    return [first + place * QUARTER for place in range((last - first) // QUARTER)]


def weeks_of_readings(site: Site, days: int, missing: Sequence[datetime]) -> datetime:
    """Store readings of both registers at the quarter-hours, but those missing of ``a``; close what has passed."""
    begin = START - timedelta(days=3)
    rows = [(begin + place * QUARTER, 10 * place) for place in range(days * 96 + 1)]
    for first in range(0, len(rows), 480):
        piece = rows[first : first + 480]
        site.read(*piece, series="b")
        site.read(*(row for row in piece if row[0] not in missing))
    through = rows[-1][0]
    site.close(through)
    return through


def test_a_reading_three_weeks_late_changes_what_lies_between_its_neighbours_and_what_is_made_of_it(
    site: Site,
) -> None:
    """Neighbours at 22:45 on 31 August and at 01:00 on 1 September; the reading is of 23:40, far from the middle."""
    before_it = datetime(2026, 8, 31, 22, 45, tzinfo=SHANGHAI)
    after_it = datetime(2026, 9, 1, 1, 0, tzinfo=SHANGHAI)
    through = weeks_of_readings(site, 25, quarters(before_it + QUARTER, after_it))
    late = datetime(2026, 8, 31, 23, 40, tzinfo=SHANGHAI)
    assert through - late > timedelta(weeks=3)
    conn, meter = site.plant.conn, site.meters["a"]
    conn.execute("UPDATE energy.consumer SET through = (SELECT max(change_id) FROM energy.day_changed)")
    whole = everything(conn)
    (count,) = conn.execute(
        "SELECT v FROM ingest.reading_register JOIN ingest.series USING (series_id) "
        "WHERE device = 'main' AND t = %s", [before_it]
    ).fetchone() or (0,)  # fmt: skip

    site.read((late, count + 1))
    assert everything(conn) == whole, "until the job runs"
    site.close(through)
    changed = everything(conn)
    assert differing(whole, changed, meter) == {
        "quarter": quarters(before_it, after_it),
        "hour": [before_it.replace(minute=0) + place * timedelta(hours=1) for place in range(3)],
        "day": [date(2026, 8, 31), date(2026, 9, 1)],
        "month": [date(2026, 8, 1), date(2026, 9, 1)],
    }
    assert [(one.meter_id, one.day) for one in changed_days(conn, "indicators")] == [
        (meter, date(2026, 8, 31)),
        (meter, date(2026, 9, 1)),
    ]
    site.close(through)
    assert everything(conn) == changed


def test_a_late_reading_within_an_hour_changes_one_hour_one_day_and_one_month(site: Site) -> None:
    missing = datetime(2026, 9, 2, 10, 30, tzinfo=SHANGHAI)
    through = weeks_of_readings(site, 25, [missing])
    conn, meter = site.plant.conn, site.meters["a"]
    whole = everything(conn)
    (count,) = conn.execute(
        "SELECT v FROM ingest.reading_register JOIN ingest.series USING (series_id) "
        "WHERE device = 'main' AND t = %s", [missing - QUARTER]
    ).fetchone() or (0,)  # fmt: skip
    site.read((missing, count + 10))
    site.close(through)
    # What it is worth stays, for the reading lies where the line through its neighbours does; it is measured now.
    assert differing(whole, everything(conn), meter) == {
        "quarter": [missing - QUARTER, missing],
        "hour": [missing.replace(minute=0)],
        "day": [date(2026, 9, 2)],
        "month": [date(2026, 9, 1)],
    }
