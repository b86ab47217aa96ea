"""The synthetic district is valid, loads, and holds exactly what it says was planted, by an independent count."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deploy.local.demo.district import Planted, write_district
from deploy.local.demo.population import firms, synthetic_uscc
from deploy.local.demo.profiles import SHANGHAI, Demo
from warehouse import postgres
from warehouse.migrate import Flavour, migrate
from warehouse.registry.load import load_folder, load_reference
from warehouse.registry.uscc import inner_warning, problem

NOW_MS = int(datetime(2026, 11, 24, 15, 47, tzinfo=SHANGHAI).timestamp() * 1000)
PLAN_ENDS = "2025-12-31"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("district")


@pytest.fixture(scope="module")
def planted(folder: Path) -> Planted:
    return write_district(folder, Demo.started(NOW_MS))


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def current(listed: list[dict[str, str]], day: str) -> list[dict[str, str]]:
    return [row for row in listed if row["valid_from"] <= day and (not row["valid_to"] or day < row["valid_to"])]


def test_the_numbers_of_the_brief(planted: Planted) -> None:
    assert planted.roster == 1668
    assert planted.on_platform == sum(planted.on_platform_by_year.values()) == 10_012
    assert 12_000 <= planted.enterprises < 12_100
    assert sum(planted.by_assessment.values()) == planted.roster


def test_every_code_is_valid_synthetic_and_of_one_enterprise(planted: Planted, folder: Path) -> None:
    enterprises = rows(folder, "enterprises.csv")
    codes = [row["uscc"] for row in enterprises]
    assert len(codes) == len(set(codes)) == planted.enterprises
    assert all(problem(code) is None and inner_warning(code) is None for code in codes)
    assert all("合成数据" in row["name"] for row in enterprises)
    assert sum(code[8:11] == "DEM" for code in codes) == planted.enterprises - 4
    assert len({row["name"] for row in enterprises}) == planted.enterprises


@pytest.mark.usefixtures("planted")
def test_everything_says_that_it_is_synthetic(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        assert all(row["source"].startswith("synthetic (合成数据)") for row in rows(folder, path.name)), path.name


def test_the_roster_and_its_qualified_members(planted: Planted, folder: Path) -> None:
    roster = {
        row["uscc"]
        for row in current(rows(folder, "rosters.csv"), PLAN_ENDS[:7])
        if row["roster"] == "industry_above_scale"
    }
    large = {
        row["uscc"]
        for row in current(rows(folder, "rosters.csv"), PLAN_ENDS[:7])
        if row["roster"] == "large_enterprises"
    }
    priority = ["certified_diagnosis", "onsite", "self_assessment"]
    results: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(folder, "questionnaire_results.csv"):
        if row["assessed_on"] <= PLAN_ENDS and (not row["withdrawn_on"] or row["withdrawn_on"] > PLAN_ENDS):
            results[row["uscc"]].append(row)
    qualified, stale = 0, 0
    for uscc in roster:
        instrument = "gbt39116" if uscc in large else "miit"
        usable = [row for row in results[uscc] if row["instrument"] == instrument]
        if not usable:
            continue
        best = min(usable, key=lambda row: (priority.index(row["evidence"]), row["assessed_on"]))
        if int(best["level"]) >= 2:
            qualified += 1
            stale += best["assessed_on"] < "2023-12-31"
    assert len(roster) == planted.roster
    assert qualified == planted.qualified == 1280
    assert stale == planted.stale
    assert sum(bool(results[uscc]) for uscc in roster) == planted.assessed


def test_the_smes_on_platforms_and_why_others_are_not_counted(planted: Planted, folder: Path) -> None:
    large = {row["uscc"] for row in rows(folder, "rosters.csv") if row["roster"] == "large_enterprises"}
    about = {row["uscc"]: row for row in rows(folder, "enterprises.csv")}
    unrecognised = {row["platform"] for row in rows(folder, "platforms.csv") if row["recognised"] == "false"}
    members: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(folder, "platform_members.csv"):
        members[row["uscc"]].append(row)
    found: Counter[str] = Counter()
    years: Counter[int] = Counter()
    twice = 0
    for uscc, memberships in members.items():
        reasons = set()
        if uscc in large:
            reasons.add("large")
        if about[uscc]["size"] == "unknown":
            reasons.add("size_unknown")
        if not about[uscc]["registered_region"].startswith("310117"):
            reasons.add("outside_region")
        if all(row["platform"] in unrecognised for row in memberships):
            reasons.add("platform_not_recognised")
        if all(row["grade"] == "contract" for row in memberships):
            reasons.add("contract")
        states = {row["state"] for row in memberships}
        first = min((row["valid_from"] for row in memberships if row["state"] in ("connected", "active")), default="")
        if not first:
            reasons.add("withdrawn" if "withdrawn" in states else "registered_only")
        elif first > PLAN_ENDS:
            reasons.add("after_plan")
        assert len(reasons) <= 1, (uscc, reasons)
        found[next(iter(reasons), "counted")] += 1
        if not reasons:
            years[date.fromisoformat(first).year] += 1
            twice += len({row["platform"] for row in memberships}) == 2
    assert found.pop("counted") == planted.on_platform
    assert dict(found) == planted.not_counted
    assert dict(years) == planted.on_platform_by_year
    assert twice == 850


def test_energy_and_value_added_of_the_whole_months(planted: Planted, folder: Path) -> None:
    assert {month for _, month in planted.energy_kwh} == {"2026-10"}
    assert {(row["uscc"], row["period"]): Decimal(row["value"]) for row in rows(folder, "observations.csv")} == (
        planted.value_added
    )
    for key, kwh in planted.energy_kwh.items():
        tce_per_10k_cny = kwh * Decimal("0.1229") / 1000 / planted.value_added[key]
        assert Decimal("0.03") < tce_per_10k_cny < Decimal("0.2")


def test_a_past_over_new_year_has_its_months(tmp_path: Path) -> None:
    now_ms = int(datetime(2027, 2, 3, 9, tzinfo=SHANGHAI).timestamp() * 1000)
    planted = write_district(tmp_path, Demo.started(now_ms))
    assert {month for _, month in planted.energy_kwh} == {"2027-01"}
    published = {row["published_at"] for row in rows(tmp_path, "observations.csv")}
    assert published == {"2027-02-03"}


def test_the_same_demo_gives_the_same_bytes(planted: Planted, folder: Path, tmp_path: Path) -> None:
    assert write_district(tmp_path, Demo.started(NOW_MS)) == planted
    for path in folder.glob("*.csv"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_firms_are_the_same_with_and_without_the_demo() -> None:
    own = ("91310117MA1J00014T",)
    with_demo, without = list(firms(own)), list(firms())
    assert len(with_demo) == len(without)
    assert with_demo[0].uscc == own[0]
    assert without[0].uscc == synthetic_uscc(1, "310115")
    assert with_demo[5:] != without[5:], "another firm takes the place of the demo's on the platforms"
    assert [firm.assessed for firm in with_demo] == [firm.assessed for firm in without]


def test_the_registry_loads_it(planted: Planted, folder: Path, database: str) -> None:
    with postgres.connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        assert load_reference(connection).refused == ()
        report = load_folder(connection, folder)
        assert report.refused == ()
        loaded = {one.file: one.added for one in report.files}
        assert loaded == {path.name: len(rows(folder, path.name)) for path in folder.glob("*.csv")}
        again = load_folder(connection, folder)
        assert again.refused == ()
        assert sum(one.added + one.changed for one in again.files) == 0
        found = connection.execute("SELECT count(*) FROM registry.enterprise").fetchone()
        assert found == (planted.enterprises,)
