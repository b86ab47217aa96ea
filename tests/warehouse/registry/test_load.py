"""Loading folders of CSV: all or nothing, every refusal named, safe to repeat, and what was known before is kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from tests.warehouse.registry.ready import another_meter
from warehouse.postgres import Connection
from warehouse.registry import readme
from warehouse.registry.load import REFERENCE, LoadReport, load_folder, load_reference
from warehouse.registry.tables import TABLES

ONE = "91310117MA1J00014T"
TWO = "91310117MA1J00022M"
VALUE_ADDED = (
    "variable=industrial_value_added period=2025-03 unit=10k_cny scope=enterprise price_basis=current vintage=report "
    "published_at=2025-04-18"
)
BASE = {"legal_basis": "administrative", "source": "synthetic"}


def write(folder: Path, file: str, rows: Sequence[Mapping[str, str]]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / file).open("w", encoding="utf-8", newline="") as out:
        names = dict.fromkeys(name for row in rows for name in row)
        writer = csv.DictWriter(out, list(names))
        writer.writeheader()
        writer.writerows(rows)


def cells(text: str) -> dict[str, str]:
    return dict(item.split("=", 1) for item in text.split(" "))


def enterprise(code: str, valid_from: str = "2021-01-01", valid_to: str = "", **more: str) -> dict[str, str]:
    row = {"uscc": code, "name": "上海示例有限公司", "sector": "C34", "size": "small", "valid_from": valid_from}
    return row | {"valid_to": valid_to} | BASE | more


def count(conn: Connection, table: str) -> int:
    found = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608  # names from this file
    assert found is not None
    return int(found[0])


def refusals(report: LoadReport) -> list[tuple[str, int, str]]:
    return [(refusal.file, refusal.line, refusal.column) for refusal in report.refused]


def test_the_reference_data_is_complete(ready: Connection) -> None:
    kinds: dict[str, int] = dict(ready.execute("SELECT kind, count(*) FROM registry.area GROUP BY kind").fetchall())
    assert kinds == {"city": 1, "district": 1, "belt": 3, "town": 17, "statistical_area": 3, "zone": 9, "park": 9}
    belts: dict[str, int] = dict(
        ready.execute("SELECT parent, count(*) FROM registry.area_attribute GROUP BY parent").fetchall()
    )
    assert belts["belt-integration"] == 5
    assert belts["belt-culture"] == 3
    assert belts["belt-ecology"] == 4
    factors = ready.execute(
        "SELECT value::text FROM stats.factor WHERE energy = 'electricity' AND basis IN ('calorific', 'equivalent') "
        "ORDER BY 1"
    ).fetchall()
    assert factors == [("0.1229",), ("0.28078",)]


def test_loading_the_reference_data_again_changes_nothing(ready: Connection) -> None:
    report = load_reference(ready)
    assert report.refused == ()
    assert {(file.added, file.changed) for file in report.files} == {(0, 0)}
    assert count(ready, "registry.superseded") == 0


def test_a_folder_is_loaded_with_every_kind_of_file(ready: Connection, tmp_path: Path) -> None:
    """One row a file, made of the examples that the documentation gives."""
    reference = {file.name for file in REFERENCE.iterdir()} - {"factors.csv"}
    for table in TABLES:
        if table.file not in reference:
            row = {column.name: column.example for column in table.columns}
            if table.file == "factors.csv":
                row |= {"level": "default"}
            write(tmp_path, table.file, [row])
    another_meter(ready)
    report = load_folder(ready, tmp_path)
    assert report.refused == ()
    assert [(file.file, file.added) for file in report.files] == [
        (table.file, 1) for table in TABLES if table.file not in reference
    ]
    meters = ready.execute("SELECT serial, carrier, unit FROM registry.meter ORDER BY meter_id DESC").fetchall()
    assert meters[0] == ("310023456789", "electricity", "kWh")
    assert ready.execute("SELECT valid_from::text FROM registry.multiplier").fetchall() == [
        ("2024-12-31 16:00:00+00",)
    ], "a date in a column of instants is midnight in Shanghai"


def test_one_wrong_cell_refuses_the_whole_folder(ready: Connection, tmp_path: Path) -> None:
    write(
        tmp_path, "enterprises.csv", [enterprise(ONE), enterprise("91310115MA1H8R7C6D"), enterprise(TWO, size="tiny")]
    )
    write(
        tmp_path,
        "consents.csv",
        [{"uscc": ONE, "purpose": "statistics", "document": "D", "valid_from": "2025-1-1"} | BASE],
    )
    report = load_folder(ready, tmp_path)
    assert refusals(report) == [
        ("consents.csv", 2, "valid_from"),
        ("enterprises.csv", 3, "uscc"),
        ("enterprises.csv", 4, "size"),
    ]
    assert report.files == ()
    assert count(ready, "registry.enterprise") == 0
    told = str(report.refused[1])
    assert "enterprises.csv:3 uscc" in told
    assert "91310115MA1H8R7C6D" in told
    assert "must be '7'" in told
    assert "large | medium | small | micro | unknown" in report.refused[2].allowed


def test_a_dry_run_checks_everything_and_loads_nothing(ready: Connection, tmp_path: Path) -> None:
    write(tmp_path, "enterprises.csv", [enterprise(ONE)])
    report = load_folder(ready, tmp_path, dry_run=True)
    assert [(file.added, file.changed) for file in report.files] == [(1, 0)]
    assert count(ready, "registry.enterprise") == 0
    write(tmp_path, "enterprises.csv", [enterprise(ONE), enterprise(ONE, "2022-01-01")])
    assert refusals(load_folder(ready, tmp_path, dry_run=True)) == [("enterprises.csv", 3, "valid_from")]


def test_overlapping_ranges_are_refused_with_the_row_they_meet(ready: Connection, tmp_path: Path) -> None:
    write(tmp_path, "enterprises.csv", [enterprise(ONE)])
    assert load_folder(ready, tmp_path).refused == ()
    write(tmp_path, "enterprises.csv", [enterprise(ONE, "2024-01-01")])
    (refused,) = load_folder(ready, tmp_path).refused
    assert (refused.line, refused.column) == (2, "valid_from")
    assert "2021-01-01" in refused.found
    assert "registered before" in refused.found


def test_closing_a_range_and_opening_the_next_in_one_file(ready: Connection, tmp_path: Path) -> None:
    write(tmp_path, "enterprises.csv", [enterprise(ONE)])
    load_folder(ready, tmp_path)
    write(
        tmp_path,
        "enterprises.csv",
        [enterprise(ONE, "2024-01-01", size="medium"), enterprise(ONE, valid_to="2024-01-01")],
    )
    report = load_folder(ready, tmp_path)
    assert report.refused == ()
    assert [(file.added, file.changed) for file in report.files] == [(1, 1)]


def test_a_changed_row_is_remembered_as_it_was_known(ready: Connection, tmp_path: Path) -> None:
    write(tmp_path, "enterprises.csv", [enterprise(ONE)])
    load_folder(ready, tmp_path)
    before = ready.execute("SELECT clock_timestamp()").fetchone()
    write(tmp_path, "enterprises.csv", [enterprise(ONE, size="medium")])
    assert [(file.added, file.changed) for file in load_folder(ready, tmp_path).files] == [(0, 1)]
    as_of = "SELECT size, valid_from::text FROM registry.enterprise_attribute_as_of(%s)"
    assert ready.execute(as_of, before).fetchall() == [("small", "2021-01-01")]
    assert ready.execute(as_of, ["infinity"]).fetchall() == [("medium", "2021-01-01")]
    assert ready.execute(as_of, ["2020-01-01"]).fetchall() == []


def test_a_deleted_row_is_remembered_too(ready: Connection, tmp_path: Path) -> None:
    write(tmp_path, "enterprises.csv", [enterprise(ONE)])
    load_folder(ready, tmp_path)
    before = ready.execute("SELECT clock_timestamp()").fetchone()
    ready.execute("DELETE FROM registry.enterprise_attribute")
    as_of = "SELECT count(*) FROM registry.enterprise_attribute_as_of(%s)"
    assert ready.execute(as_of, before).fetchone() == (1,)
    assert ready.execute(as_of, ["infinity"]).fetchone() == (0,)


@pytest.mark.parametrize(
    ("file", "row", "column"),
    [
        ("enterprise_areas.csv", f"uscc={ONE} area=park-nowhere valid_from=2021-01-01", "area"),
        ("areas.csv", "area=310117107000 kind=park name_zh=九亭 valid_from=2021-01-01", "kind"),
        ("meter_series.csv", "serial=1 feed_in=false gateway=g series=s valid_from=2021-01-01", "serial"),
        ("multipliers.csv", "serial=1 pt=0 ct=1 valid_from=2021-01-01", "pt"),
        ("multipliers.csv", "serial=1 pt=1 ct=1 valid_from=2021-01-01T00:00:00", "valid_from"),
        ("rosters.csv", f"roster=industry_above_scale uscc={ONE} valid_from=2021-01-15", "valid_from"),
        ("consents.csv", f"uscc={ONE} purpose=statistics document= valid_from=2021-01-01", "document"),
        ("enterprises.csv", f"uscc={ONE} name=x size=small valid_from=2021-01-02 valid_to=2021-01-02", "valid_to"),
        (
            "factors.csv",
            (
                "factor_set=songjiang version=1 energy=electricity basis=calorific level=national region=CN "
                "valid_from=2021-04-01 value=0.123 unit=kgce/kWh"
            ),
            "(row)",
        ),
        (
            "factors.csv",
            (
                "factor_set=songjiang version=2 energy=electricity basis=calorific level=national region=CN "
                "valid_from=2021-04-01 value=0.123 unit=kgce/kWh"
            ),
            "factor_set",
        ),
        (
            "observations.csv",
            (
                "variable=industrial_output region=310117 period=2025-01 value=1 unit=100m_cny "
                "scope=industry_above_scale price_basis=current vintage=flash published_at=2025-02-20 "
                "legal_basis=published"
            ),
            "period",
        ),
        (
            "observations.csv",
            (
                f"variable=industrial_output region=310117 uscc={ONE} period=2025 value=1 unit=100m_cny scope=all "
                "price_basis=current vintage=flash published_at=2025-02-20"
            ),
            "region",
        ),
    ],
)
def test_each_kind_of_wrong_row_is_named(ready: Connection, tmp_path: Path, file: str, row: str, column: str) -> None:
    write(tmp_path, file, [BASE | cells(row)])
    assert (file, 2, column) in refusals(load_folder(ready, tmp_path))


def test_a_header_must_be_known_and_complete(ready: Connection, tmp_path: Path) -> None:
    (tmp_path / "enterprises.csv").write_text("uscc,name,name,colour\n", "utf-8")
    assert refusals(load_folder(ready, tmp_path)) == [
        ("enterprises.csv", 1, "colour"),
        ("enterprises.csv", 1, "name"),
        ("enterprises.csv", 1, "size"),
        ("enterprises.csv", 1, "valid_from"),
        ("enterprises.csv", 1, "legal_basis"),
        ("enterprises.csv", 1, "source"),
    ]


def test_other_encodings_and_unknown_files_are_refused(ready: Connection, tmp_path: Path) -> None:
    (tmp_path / "enterprises.csv").write_bytes("uscc,名称\n".encode("utf-16"))
    (tmp_path / "people.csv").write_text("name\n", "utf-8")
    assert refusals(load_folder(ready, tmp_path)) == [("enterprises.csv", 0, "(file)"), ("people.csv", 0, "(file)")]


def test_a_folder_without_files_is_a_mistake_of_whoever_named_it(ready: Connection, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        load_folder(ready, tmp_path)
    with pytest.raises(Misconfigured):
        load_folder(ready, tmp_path / "none")


def test_a_corrected_observation_is_added_and_counts_from_then_on(ready: Connection, tmp_path: Path) -> None:
    row = cells(f"uscc={ONE} {VALUE_ADDED} value=100")
    write(tmp_path, "observations.csv", [row | BASE])
    load_folder(ready, tmp_path)
    load_folder(ready, tmp_path)
    before = ready.execute("SELECT clock_timestamp()").fetchone()
    write(tmp_path, "observations.csv", [row | BASE | {"value": "110"}])
    assert [(file.added, file.changed) for file in load_folder(ready, tmp_path).files] == [(1, 0)]
    as_of = "SELECT value FROM stats.observation_as_of(%s)"
    assert ready.execute(as_of, before).fetchall() == [(100,)]
    assert ready.execute(as_of, ["infinity"]).fetchall() == [(110,)]
    assert count(ready, "stats.observation") == 2


def test_the_documentation_of_the_files_is_up_to_date() -> None:
    assert readme.PATH.read_text("utf-8") == readme.readme(), "run python -m warehouse.registry.readme"


def test_cells_may_span_lines_and_the_report_still_names_the_right_one(ready: Connection, tmp_path: Path) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(enterprise(ONE))
    writer.writerow(enterprise(ONE, name="two\nlines").values())
    writer.writerow(enterprise(TWO, size="tiny").values())
    (tmp_path / "enterprises.csv").write_text(out.getvalue(), "utf-8")
    assert refusals(load_folder(ready, tmp_path)) == [("enterprises.csv", 3, "name"), ("enterprises.csv", 4, "size")]
