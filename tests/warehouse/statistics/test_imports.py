"""Observations, energy reports, factors, certificates: what cannot be meant is refused with its row and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from tests.warehouse.registry.test_load import BASE, ONE, TWO, cells, count, write
from warehouse.postgres import Connection
from warehouse.registry.load import LoadReport, load_folder

OUTPUT = (
    "variable=industrial_output region=310117 period=2025-03 value=412.5 unit=100m_cny scope=industry_above_scale "
    "price_basis=current vintage=flash published_at=2025-04-20 legal_basis=published source=synthetic"
)
CHANGE = (
    "variable=energy_intensity_change region=310117 period=2025 unit=percent scope=industry_above_scale "
    "price_basis=constant_2020 vintage=flash published_at=2026-03-01 legal_basis=published source=synthetic"
)
REPORT = f"uscc={ONE} period=2025-03 energy=electricity flow=purchased amount=12.5 unit=10k_kWh vintage=report"
CERTIFICATE = (
    f"number=G1 kind=certificate uscc={ONE} generation=wind mwh=100 generated_month=2025-03 used_year=2025 "
    "cross_province=true own_site=false"
)


def load(conn: Connection, folder: Path, file: str, *rows: Mapping[str, str]) -> LoadReport:
    write(folder, file, rows)
    return load_folder(conn, folder)


WRONG = [
    ("variable=industrial_outputs", "variable", "industrial_output"),
    ("unit=percent", "unit", "100m_cny | 10k_cny"),
    ("scope=all", "scope", "industry_above_scale"),
    ("price_basis=none", "price_basis", "constant_2020"),
    ("value=12.5%", "value", "a plain number"),
    ("value=下降3.2%", "value", "a plain number"),
    ("period=2025-01", "period", "1–2月"),
]
SPELT = [
    ("下降3.2%", "-3.2"),
    ("−3.2%", "-3.2"),
    ("-3.2", "-3.2"),
    ("－３．２％", "-3.2"),
    ("降低3.2", "-3.2"),
    ("增长 1.5%", "1.5"),
    ("上升1.50%", "1.50"),
    ("持平", "0"),
]


def test_an_observation_that_its_variable_does_not_allow_is_refused(ready: Connection, tmp_path: Path) -> None:
    for changed, column, told in WRONG:
        report = load(ready, tmp_path, "observations.csv", cells(OUTPUT), cells(f"{OUTPUT} {changed}"))
        (refused,) = report.refused
        assert (refused.line, refused.column) == (3, column)
        assert told in refused.allowed
    assert count(ready, "stats.observation") == 0


def test_a_value_of_the_wrong_subject_is_refused(ready: Connection, tmp_path: Path) -> None:
    of_firm = cells(f"{OUTPUT} variable=gdp scope=all") | {"region": "", "uscc": ONE}
    (refused,) = load(ready, tmp_path, "observations.csv", of_firm).refused
    assert (refused.column, "region" in refused.allowed) == ("uscc", True)


def test_a_january_of_an_enterprise_and_january_with_february_of_the_bureau_are_loaded(
    ready: Connection, tmp_path: Path
) -> None:
    january = cells(f"{OUTPUT} period=2025-01 scope=enterprise legal_basis=consented") | {"region": "", "uscc": ONE}
    together = cells(f"{OUTPUT} period=2025年1-2月")
    assert load(ready, tmp_path, "observations.csv", january, together).refused == ()
    types = ready.execute("SELECT period_type FROM stats.observation ORDER BY 1").fetchall()
    assert types == [("jan_feb",), ("month",)]


def test_a_change_is_stored_the_same_however_it_is_spelt(ready: Connection, tmp_path: Path) -> None:
    rows = [
        cells(f"{CHANGE} published_at=2026-03-{day:02}") | {"value": spelt} for day, (spelt, _) in enumerate(SPELT, 1)
    ]
    assert load(ready, tmp_path, "observations.csv", *rows).refused == ()
    found = ready.execute("SELECT value FROM stats.observation ORDER BY published_at").fetchall()
    assert found == [(Decimal(stored),) for _, stored in SPELT]


def test_a_change_that_could_mean_two_things_is_refused(ready: Connection, tmp_path: Path) -> None:
    for spelt in ("下降-3.2%", "下降3.2个百分点", "下降", "3.2‰", "增长-1%"):
        (refused,) = load(ready, tmp_path, "observations.csv", cells(CHANGE) | {"value": spelt}).refused
        assert (refused.line, refused.column) == (2, "value")


def test_the_same_change_spelt_otherwise_adds_no_row(ready: Connection, tmp_path: Path) -> None:
    for spelt in ("下降3.2%", "−3.2%", "-3.20"):
        assert load(ready, tmp_path, "observations.csv", cells(CHANGE) | {"value": spelt}).refused == ()
    assert count(ready, "stats.observation") == 1


def test_every_change_is_in_percent_and_of_a_variable_that_exists(ready: Connection) -> None:
    orphans = ready.execute(
        "SELECT c.variable FROM stats.variable AS c LEFT JOIN stats.variable AS v ON v.variable = c.change_of "
        "WHERE c.kind = 'change' AND (c.units <> 'percent' OR (c.change_of IS NOT NULL AND v.variable IS NULL))"
    ).fetchall()
    assert orphans == []


def test_amounts_are_brought_to_another_unit_exactly_or_not_at_all(ready: Connection) -> None:
    asked = "SELECT stats.in_unit(%s, %s, %s)::text"
    for value, unit, wanted, found in (
        ("4072.7", "100m_cny", "10k_cny", "40727000"),
        ("40727000.01", "10k_cny", "100m_cny", "4072.700001"),
        ("0.3", "percent", "percent", "0.3"),
        ("1", "tce", "kWh", None),
        ("1", "percent", "count", None),
    ):
        got = ready.execute(asked, [Decimal(value), unit, wanted]).fetchone()
        assert got is not None
        assert (None if got[0] is None else Decimal(got[0])) == (None if found is None else Decimal(found))


def test_an_energy_report_needs_a_unit_of_its_energy_and_steam_its_enthalpy(ready: Connection, tmp_path: Path) -> None:
    row = cells(f"{REPORT} published_at=2025-04-10") | BASE
    steam = row | {"energy": "steam", "unit": "t", "enthalpy": "", "return_enthalpy": ""}
    rows = [
        row,
        row | {"energy": "natural_gas"},
        steam,
        steam | {"flow": "exported", "enthalpy": "100", "return_enthalpy": "100"},
        steam | {"flow": "recovered", "enthalpy": "2790", "return_enthalpy": "84"},
        row | {"energy": "diesel", "unit": "吨", "enthalpy": "1", "return_enthalpy": "0"},
        row | {"period": "2025-03-14"},
    ]
    report = load(ready, tmp_path, "energy_reports.csv", *rows)
    assert [(refused.line, refused.column) for refused in report.refused] == [
        (3, "unit"),
        (4, "enthalpy"),
        (5, "return_enthalpy"),
        (7, "enthalpy"),
        (8, "period"),
    ]
    assert load(ready, tmp_path, "energy_reports.csv", row, rows[4]).refused == ()
    assert count(ready, "stats.energy_report") == 2


def test_a_factor_outside_the_range_of_the_standard_is_refused(ready: Connection, tmp_path: Path) -> None:
    row = cells(
        f"factor_set=songjiang version=1 energy=natural_gas basis=calorific level=measured region=310117 uscc={ONE} "
        "valid_from=2024-01-01 value=13.3 unit=kgce/m3"
    )
    (refused,) = load(ready, tmp_path, "factors.csv", row | BASE).refused
    assert (refused.line, refused.column) == (2, "value")
    assert "1.1000 … 1.3300" in refused.allowed
    assert load(ready, tmp_path, "factors.csv", row | BASE | {"value": "1.33"}).refused == ()


def test_a_certificate_counts_once(ready: Connection, tmp_path: Path) -> None:
    row = cells(CERTIFICATE) | BASE
    (refused,) = load(ready, tmp_path, "certificates.csv", row, row).refused
    assert (refused.line, refused.column) == (3, "(key)")
    assert load(ready, tmp_path, "certificates.csv", row).refused == ()
    for again in ({"uscc": TWO}, {"used_year": "2026"}):
        (refused,) = load(ready, tmp_path, "certificates.csv", row | again).refused
        assert (refused.line, refused.column) == (2, "number")
        assert ONE in refused.found
    assert load(ready, tmp_path, "certificates.csv", row | {"mwh": "101"}).refused == ()
    assert ready.execute("SELECT uscc, mwh, used_year FROM registry.certificate").fetchall() == [(ONE, 101, 2025)]
