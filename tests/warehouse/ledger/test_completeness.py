"""Completeness is what a naive count comes to, whatever the order; only what changed is counted again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.ledger.plant import GATEWAY, MINUTE, NAMES, START, Plant, Reading, Row
from tests.warehouse.sink.feed import T0, Log, birth, sink, telemetry, write
from warehouse.ledger.completeness import Progress, count
from warehouse.ledger.expectation import Stretch, promised
from warehouse.postgres import Connection, connect
from warehouse.times import midnight

HOUR = timedelta(hours=1)
FIRST = date(2026, 9, 20)

minutes = st.integers(-1_500, 4_000)
names = st.sampled_from(NAMES)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("birth"), minutes, st.dictionaries(names, st.sampled_from([600_000, 900_000, 3_500_000]))),
        st.tuples(
            st.just("reading"), names, minutes, st.sampled_from([0, 20, 100]), st.sampled_from([None, 1.5]), minutes
        ),
        st.tuples(st.just("rejected"), names, minutes),
        st.tuples(st.just("bound"), st.lists(st.integers(-2_000, 5_000), unique=True, max_size=4)),
        st.tuples(st.just("count"), st.integers(15, 1_600)),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_it_is_what_a_naive_count_comes_to(connection: Connection, steps: Sequence[tuple[Any, ...]]) -> None:
    now = START
    with connection.transaction(force_rollback=True):
        plant = Plant(connection)
        for what, *details in [*steps, ("count", 20)]:
            match what:
                case "birth":
                    at = START + details[0] * MINUTE
                    if all(at != said for said, _ in plant.births) and at <= now:
                        plant.say(at, details[1])
                case "reading":
                    name, minute, q, value, committed = details
                    t = START + minute * MINUTE
                    plant.read(Reading(name, t, q, value, START + committed * MINUTE))
                case "rejected":
                    plant.reject(details[0], START + details[1] * MINUTE)
                case "bound":
                    ends = [START + minute * MINUTE for minute in sorted(details[0])]
                    plant.bind(list(zip(ends[::2], [*ends[1::2], None], strict=False)))
                case _:
                    now += details[0] * MINUTE
                    progress = count(connection, now)
                    assert progress is not None
                    assert progress.left == 0
                    assert plant.counted() == plant.naive(now)


def test_expected_is_rounded_down_and_not_known_before_it_begins() -> None:
    def stretch(since: int, until: int, interval_ms: int = 900_000) -> Stretch:
        return Stretch(1, interval_ms, START + since * MINUTE, START + until * MINUTE)

    assert promised([stretch(0, 44)], START + 50 * MINUTE) == {1: 2}
    assert promised([stretch(0, 45)], START + 44 * MINUTE) == {1: 2}
    assert promised([stretch(0, 14)], START + 50 * MINUTE) == {1: 0}
    assert promised([stretch(0, 40)], START) == {}
    assert promised([stretch(0, 20), stretch(20, 50, 600_000)], START + 60 * MINUTE) == {1: 1 + 3}


def row(connection: Connection, quantity: str, day: date) -> Row | None:
    found = connection.execute(
        """select expected, received, unexpected, bad, late, rejected, replaced
           from ingest.completeness join ingest.series using (series_id) where quantity = %s and day = %s""",
        (quantity, day),
    ).fetchone()
    return None if found is None else Row(*found)


def test_what_a_sink_stores_refuses_and_replaces_is_counted(warehouse: str, connection: Connection) -> None:
    log, of, today = Log(), birth(), date(2026, 9, 21)
    end = midnight(today + timedelta(days=1))
    with sink(warehouse) as store:
        write(
            store,
            log.birth(of),
            # Some of 10 and 15 minutes before midnight, after the birth came; one before; the batch commits much later.
            log.message(
                telemetry(
                    of,
                    1,
                    {
                        "p": [(T0 + 4_000_000 + 10_000 * n, n) for n in range(30)] + [(T0 - 5_000_000, 7)],
                        "e": [(T0 + 4_000_000, 5), (T0 + 4_900_000, 5_000), (T0 + 5_000_000, None, 100)],
                        "m": [(1_000, 1)],
                    },
                )
            ),
            log.message(telemetry(of, 2, {"p": [(T0 + 4_000_000, 3), (T0 + 4_010_000, 99)]})),
        )
        count(connection, end + HOUR)
    # The birth came an hour after T0, less a second: 45.6 minutes before midnight of Shanghai (T0 is 22:13:20).
    assert row(connection, "active_power", today) == Row(280, 31, 1, 0, 31, 0, 2)
    assert row(connection, "active_energy", today) == Row(3, 1, 0, 1, 2, 1, 0)
    assert row(connection, "mode", today) == Row(46, 0, 0, 0, 0, 0, 0), "a time of 1970 belongs to no day"
    whole = connection.execute(
        "select series, series_silent, expected, received, unexpected, bad, late, rejected, replaced, round(ratio, 4)"
        " from ingest.completeness_gateway where day = %s",
        (today,),
    ).fetchall()
    assert [tuple(map(float, found)) for found in whole] == [(3, 1, 329, 32, 1, 1, 33, 1, 2, round(31 / 329, 4))]
    duplicates = connection.execute("select gateway, day, replaced, series from ingest.duplicate_day").fetchall()
    assert duplicates == [("gw", today, 2, 1)]


def test_only_touched_days_are_counted_again(connection: Connection) -> None:
    plant = Plant(connection)
    plant.say(START, dict.fromkeys(NAMES, 900_000))
    now = START + 80 * HOUR
    assert count(connection, now) == Progress(days=5, left=0, readings=0)
    assert count(connection, now + MINUTE) == Progress(0, 0, 0), "nothing came, and today is fresh"
    stamps = connection.execute("select day, max(counted_at) from ingest.completeness group by 1 order by 1").fetchall()
    assert stamps == [(FIRST + timedelta(days=n), now) for n in range(5)]
    plant.read(Reading("a", START + 30 * HOUR, 0, 1.0, now))
    plant.read(Reading("b", START + 31 * HOUR, 0, 1.0, now))
    assert count(connection, now + 2 * MINUTE) == Progress(days=1, left=0, readings=2)
    assert plant.counted() == plant.naive(now)
    # While the day lasts it is counted as time passes, and once more when it has ended.
    assert count(connection, now + 16 * MINUTE) == Progress(days=1, left=0, readings=0)
    assert count(connection, now + 24 * HOUR) == Progress(days=2, left=0, readings=0)
    assert plant.counted() == plant.naive(now + 24 * HOUR)


def test_a_mark_that_comes_during_a_run_is_left_for_the_next(warehouse: str, connection: Connection) -> None:
    plant = Plant(connection)
    plant.say(START, {"a": 900_000})
    plant.read(Reading("a", START + HOUR, 0, 1.0, START + HOUR))

    def meanwhile(_: Progress) -> None:
        if len(plant.readings) == 1:
            plant.read(Reading("a", START + 2 * HOUR, 0, 1.0, START + 2 * HOUR))

    assert count(connection, START + 3 * HOUR, tell=meanwhile) == Progress(days=1, left=0, readings=1)
    assert count(connection, START + 3 * HOUR) == Progress(days=1, left=0, readings=2)
    assert plant.counted() == plant.naive(START + 3 * HOUR)


def test_a_run_that_is_stopped_leaves_the_rest_and_another_one_does_not_run_beside_it(
    warehouse: str, connection: Connection
) -> None:
    plant = Plant(connection)
    plant.say(START, {"a": 900_000})
    now = START + 80 * HOUR
    left = iter((True, True, False))
    assert count(connection, now, go_on=lambda: next(left)) == Progress(days=2, left=3, readings=0)
    with connect(warehouse, application="test") as other:
        beside = list[Progress | None]()
        assert count(connection, now, tell=lambda _: beside.append(count(other, now))) == Progress(3, 0, 0)
    assert beside == [None] * 3
    assert plant.counted() == plant.naive(now)


def test_what_was_never_counted_is_counted_whole(connection: Connection) -> None:
    plant = Plant(connection)
    for hours in (-50, -2, 30):
        plant.read(Reading("a", START + hours * HOUR, 0, 1.0, START))
    connection.execute("update ingest.ledger set touched = null")
    assert count(connection, START + 40 * HOUR) == Progress(days=5, left=0, readings=3)
    assert plant.counted() == plant.naive(START + 40 * HOUR)
    found = connection.execute("select distinct expected, unexpected from ingest.completeness").fetchall()
    assert found == [(None, 1)]
    assert connection.execute("select distinct ratio from ingest.completeness_gateway").fetchall() == [(None,)]


def test_a_gateway_that_went_back_to_an_older_birth_is_expected_by_it(warehouse: str, connection: Connection) -> None:
    log, of, other = Log(), birth(), birth(series={"p": birth().series["p"]})
    with sink(warehouse) as store:
        write(store, log.birth(of), log.birth(other), log.birth(of))
    open_ended = "select count(*) from ingest.expectation where upper_inf(times)"
    assert connection.execute(open_ended.encode()).fetchall() == [(3,)]
    assert connection.execute("select count(*) from ingest.expectation").fetchall() == [(5,)]
    assert connection.execute("select distinct gateway from ingest.expectation").fetchall() == [(GATEWAY,)]


def test_a_refused_reading_that_is_stored_after_all_is_no_longer_rejected(connection: Connection) -> None:
    plant = Plant(connection)
    plant.say(START, {"a": 900_000})
    plant.reject("a", START + HOUR)
    count(connection, START + 3 * HOUR)
    assert row(connection, "p", FIRST) == Row(11, 0, 0, 0, 0, 1, 0)
    connection.execute(
        "update ingest.reading_rejected set settled_at = now(), settled_batch = 1, settled_by = 'replay'"
    )
    plant.read(Reading("a", START + HOUR, 0, 1.0, START + 2 * HOUR))
    count(connection, START + 3 * HOUR)
    assert row(connection, "p", FIRST) == Row(11, 1, 0, 0, 1, 0, 0)
