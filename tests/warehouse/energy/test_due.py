"""Results of indicators are marked when the accounts that they rest on change, until they are computed again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from psycopg.rows import DictRow

from metrics.show import table
from tests.warehouse.energy.plant import MARCH, QUARTER, Plant, every_quarter
from warehouse.energy.job import close
from warehouse.indicators.catalogue import CatalogueRow, put_catalogue
from warehouse.indicators.due import RUN_LOCK, Marked, mark_due
from warehouse.indicators.results import Content, Draft, put_result, results
from warehouse.period import parse_period
from warehouse.postgres import Connection, alone, connect

CONTENT = Content(
    value=Decimal("1.5"), unit="t", numerator=None, denominator=None, coverage=None, progress=None,
    expected_progress=None, status="no_target", status_reason=None, status_reason_zh=None, light=None, label="panel",
    detail={}, rule="rule", rule_digest="", sql_digest="", target_version=None, factor_set=None,
    factor_set_version=None, vintage=None, evidence_digest=None, legal_basis="consented",
)  # fmt: skip
ACCOUNTS, REGISTER = "of_accounts", "of_registers"


def entry(name: str, *, reads_accounts: bool) -> CatalogueRow:
    shown = {"reads_accounts": reads_accounts, "decimals": 1, "unit_zh": "吨"}
    return CatalogueRow(name, None, "", "能耗", "energy", "t", "panel", None, shown, name, ())


def compute(conn: Connection, indicator: str, period: str, value: str = "1.5") -> bool:
    """Store a result as a run does; say whether a version was added."""
    content = Content(**{**{name: getattr(CONTENT, name) for name in CONTENT.__slots__}, "value": Decimal(value)})
    with alone(conn, RUN_LOCK), conn.transaction():
        draft = Draft(indicator, "310117", parse_period(period), datetime.now(UTC), "", indicator, content)
        return put_result(conn, draft).added


@pytest.fixture
def plant(ready: Connection) -> Plant:
    put_catalogue(ready, [], [entry(ACCOUNTS, reads_accounts=True), entry(REGISTER, reads_accounts=False)])
    for indicator in (ACCOUNTS, REGISTER):
        for period in ("2026-02", "2026-03", "2026-04", "2026"):
            compute(ready, indicator, period)
    return Plant(ready)


def due(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute("SELECT indicator, period, cause, first_day, last_day FROM indicator.due ORDER BY 2").fetchall()


def test_a_changed_day_marks_the_results_whose_period_contains_it(plant: Plant) -> None:
    assert mark_due(plant.conn) == Marked(0, 0)
    _, series = plant.metered("a")
    plant.read(series, every_quarter([0, 10, 20]))
    close(plant.conn, MARCH + 2 * QUARTER)
    assert mark_due(plant.conn, piece=1) == Marked(1, 2)
    second = date(2026, 3, 2)
    assert due(plant.conn) == [
        (ACCOUNTS, "2026", "energy_accounts", second, second),
        (ACCOUNTS, "2026-03", "energy_accounts", second, second),
    ]
    assert mark_due(plant.conn) == Marked(0, 0)
    # The month of March is now computed again, the year is not.
    assert not compute(plant.conn, ACCOUNTS, "2026-03"), "nothing differs"
    assert [row[1] for row in due(plant.conn)] == ["2026"]
    plant.read(series, [(MARCH + 40 * QUARTER * 24, 50)])
    close(plant.conn, MARCH + 40 * QUARTER * 24)
    marked = mark_due(plant.conn)
    assert marked is not None
    assert (marked.changes, marked.results) == (10, 2)
    assert due(plant.conn) == [
        (ACCOUNTS, "2026", "energy_accounts", second, date(2026, 3, 11)),
        (ACCOUNTS, "2026-03", "energy_accounts", second, date(2026, 3, 11)),
    ]
    assert compute(plant.conn, ACCOUNTS, "2026-03", "1.6")
    assert compute(plant.conn, ACCOUNTS, "2026", "1.7")
    assert due(plant.conn) == []


def test_a_mark_is_not_set_while_a_run_computes_and_not_lost_either(plant: Plant, ready_dsn: str) -> None:
    _, series = plant.metered("a")
    plant.read(series, every_quarter([0, 10, 20]))
    close(plant.conn, MARCH + 2 * QUARTER)
    with connect(ready_dsn, application="a run") as other, alone(other, RUN_LOCK):
        assert mark_due(plant.conn) is None
    assert mark_due(plant.conn) == Marked(1, 2)


def test_the_table_says_which_result_is_out_of_date(plant: Plant) -> None:
    def march(as_of: datetime | None = None) -> list[DictRow]:
        return results(plant.conn, indicator=ACCOUNTS, period="2026-03", as_of=as_of)

    assert "数据已修订" not in "\n".join(table(march(), chinese=True))
    _, series = plant.metered("a")
    plant.read(series, every_quarter([0, 10, 20]))
    close(plant.conn, MARCH + 2 * QUARTER)
    mark_due(plant.conn)
    plant.conn.execute("UPDATE indicator.due SET since = '2026-04-01T00:05Z'")
    rows = march()
    assert table(rows, chinese=True)[-1] == (
        "of_accounts 2026-03: 数据已修订（2026-04-01 08:05 起，涉及 2026-03-02），请重新计算"
    )
    assert table(rows, chinese=False)[-1] == (
        "of_accounts 2026-03: revised inputs since 2026-04-01 08:05 (2026-03-02), run again (数据已修订)"
    )
    (then,) = march(datetime.now(UTC))
    assert then["revised_since"] is None, "what was known on a past day is what it was"
