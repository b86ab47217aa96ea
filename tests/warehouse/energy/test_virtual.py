"""Virtual meters: the sum, what is unknown of it, and that the job follows its terms and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.energy.plant import EPOCH, MARCH, QUARTER, Plant, every_quarter
from warehouse.energy import derived, store
from warehouse.energy.account import QUARTER_MS, Interval, Quality
from warehouse.energy.job import close
from warehouse.energy.virtual import Part, Term, in_order, sums
from warehouse.postgres import Connection

FOREVER = 1 << 50
Q = QUARTER_MS


class Summed(Plant):
    """A plant with virtual meters."""

    def term(
        self,
        meter: int,
        term: int,
        factor: str = "1",
        since: datetime = EPOCH,
        until: datetime | None = None,
        *,
        feed_in: bool = False,
    ) -> None:
        self.conn.execute(
            "INSERT INTO registry.virtual_term"
            " (meter_id, term_id, term_feed_in, factor, valid_from, valid_to, legal_basis, source) "
            "VALUES (%s, %s, %s, %s, %s, %s, 'consented', 'synthetic')",
            [meter, term, feed_in, Decimal(factor), since, until],
        )

    def stamps(self, meter: int) -> dict[datetime, datetime]:
        rows = self.conn.execute(
            "SELECT start, computed_at FROM energy.quarter WHERE meter_id = %s", [meter]
        ).fetchall()
        return dict(rows)


@pytest.fixture
def plant(ready: Connection) -> Summed:
    return Summed(ready)


# The sum, without a database.


def term(meter: int, factor: str = "1", from_ms: int = 0, to_ms: int = FOREVER) -> Term:
    return Term(meter, False, Decimal(factor), from_ms, to_ms)


def part(start_ms: int, place: int, energy: str | None, reason: str | None = None) -> Part:
    quality = Quality.UNKNOWN if energy is None else Quality.ESTIMATED if reason else Quality.MEASURED
    return Part(start_ms, place, None if energy is None else Decimal(energy), quality, reason)


def test_a_sum_is_exact_and_as_good_as_its_worst_term() -> None:
    terms = [term(1), term(2, "-1"), term(3, "0.333")]
    parts = [
        part(0, 0, "10.00"), part(0, 1, "2.50"), part(0, 2, "1.00"),
        part(Q, 0, "10.00"), part(Q, 1, "2.50", "gap"), part(Q, 2, "1.00", "doubtful_reading"),
        part(2 * Q, 0, "10.00"), part(2 * Q, 1, None, "reset"), part(2 * Q, 2, "1.00"),
        part(3 * Q, 0, "1.00"), part(3 * Q, 1, "2.50"), part(3 * Q, 2, "0.00"),
    ]  # fmt: skip
    assert list(sums(terms, parts)) == [
        Interval(0, None, Decimal("7.83300"), Quality.MEASURED, None),
        Interval(Q, None, Decimal("7.83300"), Quality.ESTIMATED, "gap"),
        Interval(2 * Q, None, None, Quality.UNKNOWN, "virtual_term_unknown"),
        Interval(3 * Q, None, Decimal("-1.50000"), Quality.MEASURED, None),
    ]


def test_terms_hold_in_their_time_and_one_that_tells_nothing_makes_the_sum_unknown() -> None:
    terms = [term(1, from_ms=0, to_ms=2 * Q), term(2, from_ms=Q), term(3, from_ms=3 * Q)]
    parts = [part(0, 0, "1"), part(Q, 0, "1"), part(Q, 1, "2"), part(2 * Q, 1, "2"), part(3 * Q, 1, "2")]
    energies = [(interval.start_ms // Q, interval.energy, interval.reason) for interval in sums(terms, parts)]
    assert energies == [(0, 1, None), (1, 3, None), (2, 2, None), (3, None, "virtual_term_unknown")]
    assert list(sums(terms, [])) == []


@given(st.lists(st.tuples(st.integers(-5, 5), st.lists(st.integers(0, 10**9), min_size=8, max_size=8)), min_size=1))
def test_sums_of_quarter_hours_are_the_sum_of_the_terms(told: list[tuple[int, list[int]]]) -> None:
    terms = [Term(place, False, Decimal(factor).scaleb(-1), 0, FOREVER) for place, (factor, _) in enumerate(told)]
    parts = [
        part(quarter * Q, place, f"{of_term[quarter]}E-2")
        for quarter in range(8)
        for place, (_, of_term) in enumerate(told)
    ]
    total = sum((interval.energy or Decimal(0) for interval in sums(terms, parts)), Decimal(0))
    assert total.scaleb(3) == sum(factor * sum(of_term) for factor, of_term in told)


def test_a_sum_comes_after_its_terms_and_never_back_to_itself() -> None:
    assert in_order({1: {2, 9}, 2: {3}, 3: {9}}) == ([3, 2, 1], [])
    assert in_order({1: {2}, 2: {1}, 3: {1}, 4: {9}}) == ([4], [1, 2, 3])
    assert in_order({1: {1}}) == ([], [1])
    assert in_order({}) == ([], [])


# The job, with a database.


def test_a_virtual_meter_is_accounted_for_like_any_other(plant: Summed) -> None:
    whole, whole_series = plant.metered("whole")
    part_, part_series = plant.metered("part")
    rest = plant.meter("rest", ratio=None)
    plant.term(rest, whole)
    plant.term(rest, part_, "-1")
    plant.read(whole_series, every_quarter([0, 100, 300, 600]))
    plant.read(part_series, every_quarter([0, 40, 150, 250]))
    report = close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(rest) == ["0.60", "0.90", "2.00"]
    assert report.refused == ()
    sums_of_day = plant.conn.execute(
        "SELECT energy, measured, estimated, unknown FROM energy.day WHERE meter_id = %s", [rest]
    ).fetchall()
    assert sums_of_day == [(Decimal("3.50"), 3, 0, 0)]
    assert plant.conn.execute("SELECT energy FROM energy.month WHERE meter_id = %s", [rest]).fetchone() == (
        Decimal("3.50"),
    )
    assert plant.marks() == 0
    assert close(plant.conn, MARCH + 3 * QUARTER).changed == 0


def test_only_where_a_term_changed_the_sum_is_made_again(plant: Summed, monkeypatch: pytest.MonkeyPatch) -> None:
    one, one_series = plant.metered("one")
    two, two_series = plant.metered("two")
    _, other_series = plant.metered("other")
    both = plant.meter("both", ratio=None)
    plant.term(both, one)
    plant.term(both, two)
    gap = [row for row in every_quarter(range(0, 700, 100)) if row[0] != MARCH + 3 * QUARTER]
    plant.read(one_series, every_quarter(range(0, 700, 100)))
    plant.read(two_series, gap)
    plant.read(other_series, gap)
    close(plant.conn, MARCH + 6 * QUARTER)
    assert [reason for _, _, _, reason in plant.quarters(both)] == [None, None, "gap", "gap", None, None]
    stamps = plant.stamps(both)
    written: list[int] = []
    writing = store.write

    def remember(conn: Connection, batch: list[store.Recomputed]) -> int:
        written.extend(account.key.meter_id for account in batch)
        return writing(conn, batch)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", remember)
        plant.read(other_series, [(MARCH + 3 * QUARTER, 310)])
        close(plant.conn, MARCH + 6 * QUARTER)
        assert both not in written
        plant.read(two_series, [(MARCH + 3 * QUARTER, 310)])
        assert close(plant.conn, MARCH + 6 * QUARTER).changed == 4
    assert written[-1] == both
    assert plant.energies(both) == ["2.00", "2.00", "2.10", "1.90", "2.00", "2.00"]
    again = plant.stamps(both)
    assert {start for start in stamps if stamps[start] != again[start]} == {MARCH + 2 * QUARTER, MARCH + 3 * QUARTER}


def test_terms_change_in_time_and_in_the_registry(plant: Summed) -> None:
    one, one_series = plant.metered("one")
    two, two_series = plant.metered("two")
    both = plant.meter("both", ratio=None)
    plant.read(one_series, every_quarter([0, 100, 200, 300]))
    plant.read(two_series, every_quarter([0, 1000, 2000, 3000]))
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(both) == []
    plant.term(both, one)
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(both) == ["1.00", "1.00", "1.00"]
    plant.term(both, two, "0.5", MARCH + 2 * QUARTER)
    assert close(plant.conn, MARCH + 3 * QUARTER).changed == 1
    assert plant.energies(both) == ["1.00", "1.00", "6.000"]
    plant.conn.execute("UPDATE registry.virtual_term SET valid_to = %s WHERE term_id = %s", [MARCH + QUARTER, one])
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(both) == ["1.00", "5.000"], "from 15 to 30 no term holds"
    plant.conn.execute("DELETE FROM registry.virtual_term")
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(both) == []
    assert plant.conn.execute("SELECT count(*) FROM energy.day WHERE meter_id = %s", [both]).fetchone() == (0,)


def test_what_is_unknown_of_a_term_is_unknown_of_the_sum(plant: Summed) -> None:
    one, one_series = plant.metered("one")
    two, two_series = plant.metered("two")
    both = plant.meter("both", ratio=None)
    plant.term(both, one)
    plant.term(both, two)
    plant.read(one_series, every_quarter([0, 100, 200, 300]))
    plant.read(two_series, every_quarter([100, 200], MARCH + QUARTER))
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.energies(both) == ["virtual_term_unknown", "2.00", "virtual_term_unknown"]


def test_a_sum_of_sums_comes_after_them(plant: Summed) -> None:
    first = plant.meter("first", ratio=None)
    second = plant.meter("second", ratio=None)
    one, one_series = plant.metered("one")
    plant.term(first, second, "2")
    plant.term(second, one, "3")
    plant.read(one_series, every_quarter([0, 100, 200]))
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(second) == ["3.00", "3.00"]
    assert plant.energies(first) == ["6.00", "6.00"]
    plant.read(one_series, [(MARCH + timedelta(minutes=5), 90), (MARCH + timedelta(minutes=10), 95)])
    assert close(plant.conn, MARCH + 2 * QUARTER).changed == 0, "the counts at the quarter-hours are the same"


def test_what_flows_back_can_be_taken_off(plant: Summed) -> None:
    meter, series = plant.metered("m")
    plant.conn.execute(
        "INSERT INTO registry.meter_series (meter_id, feed_in, gateway, series, valid_from, legal_basis, source) "
        "VALUES (%s, true, 'gw-m', 'm.back', %s, 'consented', 'synthetic')",
        [meter, EPOCH],
    )
    back = plant.series("gw-m", "m.back")
    net = plant.meter("net", ratio=None)
    plant.term(net, meter)
    plant.term(net, meter, "-1", feed_in=True)
    plant.read(series, every_quarter([0, 100, 100]))
    plant.read(back, every_quarter([0, 0, 250]))
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(net) == ["1.00", "-2.50"]


def test_dying_before_the_sum_loses_nothing(plant: Summed, monkeypatch: pytest.MonkeyPatch) -> None:
    one, series = plant.metered("one")
    double = plant.meter("double", ratio=None)
    plant.term(double, one, "2")
    plant.read(series, every_quarter([0, 100, 200]))

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(derived, "compute", die)
        with pytest.raises(KeyboardInterrupt):
            close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(one) == ["1.00", "1.00"]
    assert plant.energies(double) == []
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.energies(double) == ["2.00", "2.00"]


def test_sums_that_cannot_be_are_refused_and_the_others_made(plant: Summed) -> None:
    one, series = plant.metered("one")
    gas = plant.meter("gas", carrier="natural_gas", unit="m3")
    this, that, mixed, good = (plant.meter(name, ratio=None) for name in ("this", "that", "mixed", "good"))
    plant.term(this, that)
    plant.term(that, this)
    plant.term(mixed, one)
    plant.term(mixed, gas)
    plant.term(one, gas)
    plant.term(good, one)
    plant.read(series, every_quarter([0, 100]))
    report = close(plant.conn, MARCH + QUARTER)
    assert sorted(why.split(" (")[0] for why in report.refused) == [
        "meter mixed: a sum of different units, kWh, m3",
        "meter one: a series tells it, so it is no sum",
        "meter that: its terms come back to it",
        "meter this: its terms come back to it",
    ]
    assert (plant.energies(one), plant.energies(good), plant.energies(this)) == (["1.00"], ["1.00"], [])


def test_a_sum_that_comes_back_to_itself_is_taken_away_and_made_again_whole(plant: Summed) -> None:
    one, series = plant.metered("one")
    this, that, above = (plant.meter(name, ratio=None) for name in ("this", "that", "above"))
    plant.term(that, one)
    plant.term(this, that)
    plant.term(above, this)
    plant.read(series, every_quarter([0, 100, 200, 300]))
    close(plant.conn, MARCH + 3 * QUARTER)
    whole = ["1.00", "1.00", "1.00"]
    assert [plant.energies(meter) for meter in (that, this, above)] == [whole] * 3
    plant.term(that, this, since=MARCH + QUARTER)
    refused = close(plant.conn, MARCH + 3 * QUARTER).refused
    assert sorted(why.split(" (")[0] for why in refused) == [
        "meter above: its terms come back to it",
        "meter that: its terms come back to it",
        "meter this: its terms come back to it",
    ]
    assert [plant.energies(meter) for meter in (that, this, above)] == [[], [], []]
    plant.conn.execute("DELETE FROM registry.virtual_term WHERE meter_id = %s AND term_id = %s", [that, this])
    assert close(plant.conn, MARCH + 3 * QUARTER).refused == ()
    assert [plant.energies(meter) for meter in (that, this, above)] == [whole] * 3


def test_a_term_holds_from_a_full_quarter_hour(plant: Summed) -> None:
    one, _ = plant.metered("one")
    both = plant.meter("both", ratio=None)
    with pytest.raises(psycopg.errors.CheckViolation):
        plant.term(both, one, since=MARCH + timedelta(minutes=1))
