"""Power alone: what is integrated exactly, and that the job keeps it in step with samples however they arrive."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract.errors import BadRecord, Misconfigured
from tests.warehouse.energy.plant import EPOCH, MARCH, QUARTER, Plant, every_quarter
from warehouse.energy import powered
from warehouse.energy.account import QUARTER_MS, Multiplier, Quality
from warehouse.energy.check import check_meters
from warehouse.energy.explain import explain
from warehouse.energy.job import close
from warehouse.energy.power import NANO, STEP, Gauge, Sample, in_order, integrate, limit_ms, nano
from warehouse.energy.powered import Window
from warehouse.energy.sources import FOREVER_MS
from warehouse.postgres import Connection

MINUTE = timedelta(minutes=1)
ONE = [Multiplier(0, None, Decimal(1).scaleb(-NANO))]
ANY = Gauge(1 << 50)


class Powered(Plant):
    """A plant with meters that tell their power only."""

    def gauge(
        self, gateway: str, name: str, *, unit: str = "kW", interval_ms: int = 60_000, rated_max: float | None = 500.0
    ) -> int:
        """Add a birth with one gauge; gives its number."""
        birth = self._one(
            "INSERT INTO ingest.birth (gateway, digest, agent, body, received_at, batch) "
            "VALUES (%s, gen_random_uuid()::text, '', '', clock_timestamp(), 0) RETURNING birth_id",
            [gateway],
        )
        number = self._one(
            "INSERT INTO ingest.series (gateway, identity, device, quantity, unit, kind, batch) "
            "VALUES (%s, gen_random_uuid()::text, 'd', 'active_power', %s, 'gauge', 0) RETURNING series_id",
            [gateway, unit],
        )
        self.conn.execute(
            "INSERT INTO ingest.birth_series (birth_id, name, series_id, interval_ms, rated_max) "
            "VALUES (%s, %s, %s, %s, %s)",
            [birth, name, number, interval_ms, rated_max],
        )
        return number

    def powered(self, serial: str, **said: str | int | float | None) -> tuple[int, int]:
        """Add a meter whose power a series of its own gateway tells; gives both numbers."""
        meter = self.meter(serial)
        self.feed(meter, f"gw-{serial}", "m.power")
        return meter, self.gauge(f"gw-{serial}", "m.power", **said)  # type: ignore[arg-type]  # as the method says

    def sample(self, series: int, samples: Iterable[tuple[datetime, float | None]], quality: int = 0) -> None:
        """Store samples; those before the watermark leave a mark, as those that a sink stores do."""
        rows = list(samples)
        for month in {(t.year, t.month) for t, _ in rows}:
            self.conn.execute("SELECT ingest.ensure_month(make_date(%s, %s, 1))", month)
        with self.conn.transaction(), self.conn.cursor() as cursor:
            closed = cursor.execute("SELECT closed_through::text FROM ingest.watermark FOR SHARE").fetchone()
            with cursor.copy("COPY ingest.reading_gauge (series_id, t, v, q, message) FROM STDIN") as copy:
                for t, value in rows:
                    copy.write_row((series, t, value, quality, 0))
            cursor.execute(
                "INSERT INTO ingest.dirty (series_id, t_from, t_to, batch) "
                "SELECT %s, min(t), max(t), 0 FROM unnest(%s::timestamptz[]) AS t WHERE t < %s::timestamptz "
                "HAVING count(*) > 0",
                [series, [t for t, _ in rows], closed[0] if closed else None],
            )

    def fed_back(self, meter: int) -> list[str | None]:
        rows = self.conn.execute(
            "SELECT energy, reason FROM energy.quarter WHERE meter_id = %s AND feed_in ORDER BY start", [meter]
        ).fetchall()
        return [str(energy) if energy is not None else reason for energy, reason in rows]

    def stamps(self, meter: int) -> dict[datetime, datetime]:
        rows = self.conn.execute(
            "SELECT start, computed_at FROM energy.quarter WHERE meter_id = %s AND NOT feed_in", [meter]
        ).fetchall()
        return dict(rows)

    def drawn(self, meter: int) -> list[str | None]:
        rows = self.conn.execute(
            "SELECT energy, reason FROM energy.quarter WHERE meter_id = %s AND NOT feed_in ORDER BY start", [meter]
        ).fetchall()
        return [str(energy) if energy is not None else reason for energy, reason in rows]


@pytest.fixture
def plant(ready: Connection) -> Powered:
    return Powered(ready)


def every(step: timedelta, values: Iterable[float], start: datetime = MARCH) -> list[tuple[datetime, float]]:
    return [(start + place * step, value) for place, value in enumerate(values)]


# The integral, without a database.

POWERS = st.lists(st.tuples(st.integers(1, 900_000), st.integers(-(10**12), 10**12)), min_size=2, max_size=30)


def drawn_by_hand(samples: list[Sample]) -> Fraction:
    """The area above zero, in nano-hours, by another formula: each trapezoid or triangle of its own."""
    area = Fraction(0)
    for before, after in itertools.pairwise(samples):
        length = Fraction(after.t_ms - before.t_ms, 3_600_000)
        high, low = max(before.nano, after.nano), min(before.nano, after.nano)
        if low >= 0:
            area += length * (high + low) / 2
        elif high > 0:
            area += length * high * Fraction(high, high - low) / 2
    return area


@given(POWERS)
def test_quarter_hours_are_the_integral_but_for_their_last_digit(steps: list[tuple[int, int]]) -> None:
    t_ms, samples = 0, []
    for step_ms, power in steps:
        samples.append(Sample(t_ms, power))
        t_ms += step_ms
    samples.append(Sample(-(-t_ms // QUARTER_MS) * QUARTER_MS, 0))
    end_ms = samples[-1].t_ms
    of_drawn = integrate(samples, ANY, ONE, feed_in=False, start_ms=0, end_ms=end_ms)
    of_fed_back = integrate(samples, ANY, ONE, feed_in=True, start_ms=0, end_ms=end_ms)
    assert {interval.quality for interval in (*of_drawn, *of_fed_back)} == {Quality.ESTIMATED}
    flipped = [Sample(sample.t_ms, -sample.nano) for sample in samples]
    for intervals, told in ((of_drawn, samples), (of_fed_back, flipped)):
        total = sum((Fraction(interval.energy or 0) for interval in intervals), Fraction(0))
        assert abs(total - drawn_by_hand(told) / 10**NANO) <= len(intervals) * Fraction(STEP) / 2
    assert integrate(flipped, ANY, ONE, feed_in=False, start_ms=0, end_ms=end_ms) == of_fed_back


@given(POWERS, st.integers(0, 20), st.integers(1, 8))
def test_a_quarter_hour_depends_on_samples_near_it_only(steps: list[tuple[int, int]], first: int, count: int) -> None:
    t_ms, samples = 0, []
    for step_ms, power in steps:
        samples.append(Sample(t_ms, power))
        t_ms += step_ms
    gauge = Gauge(limit_ms(60_000))
    start_ms, end_ms = first * QUARTER_MS, (first + count) * QUARTER_MS
    near = [sample for sample in samples if start_ms - gauge.limit_ms <= sample.t_ms <= end_ms + gauge.limit_ms]
    whole = integrate(samples, gauge, ONE, feed_in=False, start_ms=0, end_ms=40 * QUARTER_MS)
    part = integrate(near, gauge, ONE, feed_in=False, start_ms=start_ms, end_ms=end_ms)
    assert part == whole[first : first + count]


def test_a_float_is_taken_by_its_shortest_notation() -> None:
    assert nano(0.1) == 100_000_000
    assert nano(-0.1) == -100_000_000
    assert nano(1e-9) == 1
    assert nano(12345.678901234) == 12_345_678_901_234
    assert nano(Decimal("0.0000000005")) == 1
    found = in_order([(0, float("nan"), 0), (1, float("inf"), 0), (2, 1.5, 0)], ANY)
    assert found.kept == (Sample(2, 1_500_000_000),)


@pytest.mark.parametrize(("interval_s", "limit_s"), [(1, 300), (60, 300), (100, 300), (300, 900), (900, 2700)])
def test_samples_may_be_three_intervals_apart(interval_s: int, limit_s: int) -> None:
    assert limit_ms(interval_s * 1000) == limit_s * 1000


def test_explain_refuses_what_a_meter_of_power_cannot_have(tmp_path: Path) -> None:
    readings, meter, events = (tmp_path / name for name in ("r.csv", "m.toml", "e.csv"))
    readings.write_text("t,value\n2026-03-02T10:00:00+08:00,1.5\n", "utf-8")
    events.write_text("at,old_end,new_start\n2026-03-02T10:00:00+08:00,1,0\n", "utf-8")
    meter.write_text('kind = "power"\n', "utf-8")
    with pytest.raises(Misconfigured, match="no register"):
        explain(readings, meter, events)
    meter.write_text('kind = "power"\nunit = "kvar"\n', "utf-8")
    with pytest.raises(Misconfigured, match="kvar cannot become kWh"):
        explain(readings, meter)
    meter.write_text('kind = "register"\n', "utf-8")
    with pytest.raises(Misconfigured, match="decimals and range"):
        explain(readings, meter)
    meter.write_text('kind = "power"\n', "utf-8")
    readings.write_text("t,value\n2026-03-02T10:00:00+08:00,NaN\n", "utf-8")
    with pytest.raises(BadRecord, match="no number"):
        explain(readings, meter)


# The job, with a database.


def test_a_meter_that_tells_its_power_only_has_an_account(plant: Powered) -> None:
    meter, series = plant.powered("a")
    plant.ratio(plant.meter("other", ratio=None), 1)
    plant.sample(series, every(MINUTE, [6.0] * 16 + [-12.0] * 15))
    report = close(plant.conn, MARCH + 2 * QUARTER)
    # From 6 to -12 kW within a minute: a third of it above zero.
    assert plant.drawn(meter) == ["1.500000", "0.016667"]
    assert plant.fed_back(meter) == ["0.000000", "2.866667"]
    rows = plant.conn.execute("SELECT DISTINCT quality, reason FROM energy.quarter").fetchall()
    assert rows == [("estimated", "integrated_power")]
    assert (report.registers, report.refused) == (2, ())
    days = plant.conn.execute(
        "SELECT feed_in, energy, measured, estimated, unknown FROM energy.day ORDER BY feed_in"
    ).fetchall()
    assert days == [(False, Decimal("1.516667"), 0, 2, 0), (True, Decimal("2.866667"), 0, 2, 0)]
    assert plant.marks() == 0


def test_a_late_sample_changes_the_quarter_hours_near_it(plant: Powered) -> None:
    meter, series = plant.powered("a")
    told = every(MINUTE, [6.0] * 121)
    late = [(t, value) for t, value in told if timedelta(minutes=40) <= t - MARCH < timedelta(minutes=50)]
    plant.sample(series, [row for row in told if row not in late])
    close(plant.conn, MARCH + 8 * QUARTER)
    assert plant.drawn(meter) == ["1.500000"] * 2 + ["power_gap"] * 2 + ["1.500000"] * 4
    stamps = plant.stamps(meter)
    plant.sample(series, late)
    assert plant.marks() == 1
    assert close(plant.conn, MARCH + 8 * QUARTER).changed == 4, "two drawn, two fed back"
    assert plant.drawn(meter) == ["1.500000"] * 8
    again = plant.stamps(meter)
    assert {start for start in stamps if stamps[start] != again[start]} == {MARCH + 2 * QUARTER, MARCH + 3 * QUARTER}
    assert plant.marks() == 0


def test_the_next_sample_settles_the_quarter_hour_before_it(plant: Powered) -> None:
    meter, series = plant.powered("a", interval_ms=600_000)
    plant.sample(series, every(timedelta(minutes=10), [6.0, 6.0]))
    close(plant.conn, MARCH + QUARTER)
    assert plant.drawn(meter) == ["power_gap"]
    plant.sample(series, [(MARCH + timedelta(minutes=20), 6.0), (MARCH + timedelta(minutes=30), 6.0)])
    assert plant.marks() == 0, "it was not late"
    close(plant.conn, MARCH + 2 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "1.500000"]


def test_a_silent_gauge_goes_on_being_unknown(plant: Powered) -> None:
    meter, series = plant.powered("a")
    plant.sample(series, every(MINUTE, [6.0] * 16, MARCH + QUARTER))
    close(plant.conn, MARCH + 4 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "power_gap", "no_reading"]
    silent, _ = plant.powered("b")
    close(plant.conn, MARCH + 5 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "power_gap", "no_reading", "no_reading"]
    assert plant.drawn(silent) == [], "nothing was ever told"


def test_bad_samples_and_too_large_ones_are_not_used(plant: Powered) -> None:
    meter, series = plant.powered("a", rated_max=100.0)
    plant.sample(series, every(timedelta(minutes=3), [6.0] * 6))
    plant.sample(series, [(MARCH + MINUTE, 99.0), (MARCH + 2 * MINUTE, None)], quality=110)
    plant.sample(series, [(MARCH + 4 * MINUTE, 99.0)], quality=20)
    plant.sample(series, [(MARCH + 5 * MINUTE, 100.1), (MARCH + 7 * MINUTE, -100.1)])
    close(plant.conn, MARCH + QUARTER)
    assert (plant.drawn(meter), plant.fed_back(meter)) == (["1.500000"], ["0.000000"])


def test_ratios_of_the_registry_hold_for_power(plant: Powered) -> None:
    meter, series = plant.powered("a", unit="W", rated_max=None)
    plant.conn.execute("UPDATE registry.multiplier SET valid_to = %s", [MARCH + QUARTER])
    plant.ratio(meter, 60, MARCH + QUARTER, MARCH + 2 * QUARTER)
    plant.sample(series, every(MINUTE, [4000.0] * 46))
    close(plant.conn, MARCH + 3 * QUARTER)
    assert plant.drawn(meter) == ["1.000000", "60.000000", "no_multiplier"]
    plant.ratio(meter, 30, MARCH + 2 * QUARTER)
    assert close(plant.conn, MARCH + 3 * QUARTER).changed == 2
    assert plant.drawn(meter) == ["1.000000", "60.000000", "30.000000"]


def test_a_gauge_that_is_no_power_is_refused(plant: Powered) -> None:
    meter, series = plant.powered("a", unit="kvar")
    plant.sample(series, every(MINUTE, [6.0] * 16))
    report = close(plant.conn, MARCH + QUARTER)
    assert [why.split(" (")[0] for why in report.refused] == ["meter a: a gauge in kvar is no power of kWh"]
    assert plant.drawn(meter) == []


def test_a_register_that_comes_later_holds_from_then_on(plant: Powered) -> None:
    meter, gauge = plant.powered("a")
    plant.conn.execute("UPDATE registry.meter_series SET valid_to = %s", [MARCH + 2 * QUARTER])
    plant.feed(meter, "gw-new", "x.energy", MARCH + 2 * QUARTER)
    register = plant.series("gw-new", "x.energy")
    plant.sample(gauge, every(MINUTE, [6.0] * 61))
    plant.read(register, every_quarter([999, 999, 100, 250, 350]))
    close(plant.conn, MARCH + 4 * QUARTER)
    # The last minute before the register lacks its end, for the sample of that time is no longer this meter's.
    assert plant.drawn(meter) == ["1.500000", "power_gap", "1.50", "1.00"]
    assert plant.fed_back(meter)[0] == "0.000000"


def test_what_flows_back_may_have_a_register_of_its_own(plant: Powered) -> None:
    meter, gauge = plant.powered("a")
    plant.conn.execute(
        "INSERT INTO registry.meter_series (meter_id, feed_in, gateway, series, valid_from, legal_basis, source) "
        "VALUES (%s, true, 'gw-back', 'x.energy', %s, 'consented', 'synthetic')",
        [meter, EPOCH],
    )
    plant.sample(gauge, every(MINUTE, [-6.0] * 16))
    plant.read(plant.series("gw-back", "x.energy"), every_quarter([0, 151]))
    close(plant.conn, MARCH + QUARTER)
    assert (plant.drawn(meter), plant.fed_back(meter)) == (["0.000000"], ["1.51"])


@pytest.mark.parametrize("seed", range(4))
def test_however_samples_arrive_the_account_is_that_of_all_of_them(
    plant: Powered, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late, out of order, in pieces, between runs at any times: the same as computing once when all are there."""
    monkeypatch.setattr(powered, "PIECE_MS", 7 * QUARTER_MS)
    dice = random.Random(seed)  # noqa: S311  # repeatable
    quarters = 60
    t, samples = MARCH + timedelta(seconds=dice.randrange(900)), []
    while t < MARCH + quarters * QUARTER:
        samples.append((t, round(dice.uniform(-50, 120), 3) if dice.random() < 0.97 else 9999.0))
        t += timedelta(seconds=dice.choice([60, 60, 60, 120, 299, 900, 3_000]))
    pieces, series = plant.powered("pieces")
    shuffled = sorted(samples, key=lambda row: (row[0] - MARCH) / timedelta(hours=1) + dice.choice([0, 0, 0, 1, 6]))
    end = through = MARCH + quarters * QUARTER
    through = MARCH
    while shuffled:
        take = dice.randrange(1, 80)
        plant.sample(series, shuffled[:take])
        del shuffled[:take]
        through = min(end, through + dice.randrange(0, 8) * QUARTER)
        close(plant.conn, through)
        assert plant.marks() == 0
    close(plant.conn, end)
    whole = plant.meter("whole")
    plant.feed(whole, "gw-pieces", "m.power")
    close(plant.conn, end)
    rows = "SELECT feed_in, start, energy, quality, reason FROM energy.quarter WHERE meter_id = %s ORDER BY 1, 2"
    assert plant.conn.execute(rows, [pieces]).fetchall() == plant.conn.execute(rows, [whole]).fetchall()
    assert len(plant.drawn(whole)) >= quarters - 1
    sums = "SELECT feed_in, month, energy, estimated, unknown FROM energy.month WHERE meter_id = %s ORDER BY 1, 2"
    assert plant.conn.execute(sums, [pieces]).fetchall() == plant.conn.execute(sums, [whole]).fetchall()


def test_only_what_is_near_a_late_sample_is_read(plant: Powered) -> None:
    meter, series = plant.powered("a")
    told = every(MINUTE, [6.0] * (24 * 60 + 1))
    plant.sample(series, [row for place, row in enumerate(told) if place != 30])
    end = MARCH + timedelta(days=1)
    close(plant.conn, end)
    # Whoever read far before or after the late sample would find nothing, and book it as unknown.
    plant.conn.execute("DELETE FROM ingest.reading_gauge WHERE t > %s", [MARCH + 10 * QUARTER])
    plant.conn.execute(
        "DELETE FROM ingest.reading_gauge WHERE t BETWEEN %s AND %s", [MARCH + MINUTE, MARCH + 9 * MINUTE]
    )
    plant.sample(series, [(MARCH + 30 * MINUTE, 6.6)])
    assert close(plant.conn, end).changed == 2
    assert plant.drawn(meter) == ["1.500000", "1.505000", "1.505000"] + ["1.500000"] * 93


def test_a_sample_before_the_first_begins_the_account_there(plant: Powered) -> None:
    meter, series = plant.powered("a")
    plant.sample(series, every(MINUTE, [6.0] * 16, MARCH + 4 * QUARTER))
    close(plant.conn, MARCH + 6 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "power_gap"]
    plant.sample(series, [(MARCH + MINUTE, 6.0)])
    close(plant.conn, MARCH + 6 * QUARTER)
    assert plant.drawn(meter) == ["power_gap", "no_reading", "no_reading", "no_reading", "1.500000", "power_gap"]
    plant.conn.execute("DELETE FROM ingest.reading_gauge WHERE t < %s", [MARCH + QUARTER])
    plant.conn.execute(
        "INSERT INTO ingest.dirty (series_id, t_from, t_to, batch) VALUES (%s, %s, %s, 0)",
        [series, MARCH + MINUTE, MARCH + MINUTE],
    )
    close(plant.conn, MARCH + 6 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "power_gap"]


def test_what_is_near_marks_is_computed_once() -> None:
    limit = 300_000
    q = QUARTER_MS
    near = powered.near([Window(10 * q, 10 * q), Window(11 * q, 12 * q), Window(30 * q, 30 * q + 1)], limit, 0)
    assert near == [Window(9 * q, 13 * q), Window(29 * q, 31 * q)]
    assert powered.near([Window(40 * q, FOREVER_MS), Window(10 * q, 10 * q)], limit, 0) == [
        Window(9 * q, 11 * q),
        Window(39 * q, FOREVER_MS),
    ]
    assert powered.near([Window(-FOREVER_MS, FOREVER_MS), Window(5, 6)], limit, 0) == [Window(-FOREVER_MS, FOREVER_MS)]
    assert powered.near([Window(10 * q, 10 * q)], limit, 10 * q) == [Window(9 * q, FOREVER_MS)]


def test_what_was_integrated_of_samples_that_were_dropped_stands(plant: Powered) -> None:
    """A meter told its power first and has a register now; its ratio of all time is corrected after the drop."""
    meter, gauge = plant.powered("a")
    plant.conn.execute("UPDATE registry.meter_series SET valid_to = %s", [MARCH + 4 * QUARTER])
    plant.feed(meter, "gw-new", "x.energy", MARCH + 4 * QUARTER)
    plant.sample(gauge, every(MINUTE, [6.0] * 61))
    plant.read(plant.series("gw-new", "x.energy"), every_quarter([100, 250, 350], MARCH + 4 * QUARTER))
    close(plant.conn, MARCH + 6 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "1.500000", "1.500000", "power_gap", "1.50", "1.00"]
    plant.conn.execute("DELETE FROM ingest.reading_gauge WHERE t <= %s", [MARCH + QUARTER])
    plant.conn.execute(
        "INSERT INTO ingest.retention_run"
        " (action, reading, piece, from_t, to_t, bytes_before, readings, account_from) "
        "VALUES ('dropped', 'reading_gauge', 'x', %s, %s, 0, 16, %s)",
        [MARCH - QUARTER, MARCH + QUARTER, MARCH + 2 * QUARTER],
    )
    plant.conn.execute("UPDATE registry.multiplier SET ct = 10")
    close(plant.conn, MARCH + 6 * QUARTER)
    assert plant.drawn(meter) == ["1.500000", "1.500000", "15.000000", "power_gap", "15.00", "10.00"]
    found = check_meters(plant.conn, [meter], date(2026, 3, 2), date(2026, 3, 3))
    assert (found.differing, found.undecided) == (0, 0), "what stands is not compared with samples that are gone"
    plant.conn.execute("UPDATE energy.quarter SET energy = energy + 1 WHERE NOT feed_in AND energy IS NOT NULL")
    found = check_meters(plant.conn, [meter], date(2026, 3, 2), date(2026, 3, 3))
    assert [one.start[-5:] for one in found.examples if one.level == "quarter"] == ["00:30", "01:00"]
