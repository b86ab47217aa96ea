"""Blanks: filled with their own example they load; their check is that of the standard."""

from __future__ import annotations

import csv
import io
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.warehouse.registry.ready import another_meter
from tests.warehouse.registry.test_load import ONE, TWO, count
from warehouse.cli import cli
from warehouse.postgres import Connection, connect
from warehouse.registry import uscc
from warehouse.registry.files import Reading, read
from warehouse.registry.load import REFERENCE, load_folder
from warehouse.registry.tables import TABLES, Table
from warehouse.registry.template import FIRST_ROW, as_csv, as_xlsx, check_formula, example

FILLED_BY_REFERENCE = {file.stem for file in REFERENCE.iterdir()} - {"factors"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def filled_csv(table: Table) -> str:
    rows = list(csv.reader(io.StringIO(as_csv(table).decode("utf-8-sig"))))
    assert rows[2][0].startswith("#例 ")
    rows[3][: len(table.columns)] = [rows[2][0].removeprefix("#例 "), *rows[2][1:]]
    if table.name == "factors":
        rows[3][4] = "缺省"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def filled_xlsx(table: Table, path: Path) -> None:
    path.write_bytes(as_xlsx(table))
    book = load_workbook(path)
    sheet = book[table.zh]
    for place, column in enumerate(table.columns, 1):
        sheet.cell(FIRST_ROW, place, example(column) or None)
    if table.name == "factors":
        sheet.cell(FIRST_ROW, 5, "缺省")
    book.save(path)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_template_filled_with_its_own_example_loads(ready: Connection, tmp_path: Path, kind: str) -> None:
    expected = []
    for table in TABLES:
        if table.name not in FILLED_BY_REFERENCE:
            expected.append(table.name)
            if kind == "csv":
                (tmp_path / f"{table.name}.csv").write_text(filled_csv(table), "utf-8")
            else:
                filled_xlsx(table, tmp_path / f"{table.name}.xlsx")
    another_meter(ready)
    report = load_folder(ready, tmp_path)
    assert [str(one) for one in report.refused] == []
    assert [file.added for file in report.files] == [1] * len(expected)
    assert report.notes == ()


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_an_empty_template_has_no_rows_and_nothing_wrong(tmp_path: Path, table: Table) -> None:
    (tmp_path / f"{table.name}.csv").write_bytes(as_csv(table))
    workbook = tmp_path / "book"
    workbook.mkdir()
    (workbook / "任意.xlsx").write_bytes(as_xlsx(table))
    for folder in (tmp_path, workbook):
        reading = Reading()
        read(folder, reading)
        assert [str(one) for one in reading.refused] == []
        assert [(sheet.table, sheet.rows, sheet.refused) for sheet in reading.sheets] == [(table, (), ())]


def test_a_workbook_offers_words_as_lists_and_keeps_codes_as_text() -> None:
    table = next(table for table in TABLES if table.name == "recognitions")
    book = load_workbook(io.BytesIO(as_xlsx(table)))
    sheet = book[table.zh]
    places = {column.name: place for place, column in enumerate(table.columns, 1)}
    assert sheet.column_dimensions["A"].number_format == "@"
    assert places["valid_from"] == 7
    assert sheet.column_dimensions["G"].number_format == "yyyy-mm-dd"
    offered = {str(one.sqref).split(":")[0]: one.formula1 for one in sheet.data_validations.dataValidation}
    assert offered["B4"] == "'_lists'!$B$1:$B$11"
    assert [book["_lists"].cell(row, 2).value for row in (1, 3)] == ["企业技术中心", "专精特新"]
    assert str(sheet.cell(FIRST_ROW, len(places) + 1).value).startswith("=IF(COUNTA(A4:")


def evaluated(formula_part: str, code: str) -> bool:
    """Do what a spreadsheet does with the part of the formula that checks a code."""
    start = formula_part.index("SUMPRODUCT")
    weights = [int(weight) for weight in formula_part[start:].split("*{")[1].split("}")[0].split(",")]
    alphabet = formula_part.split('MID("')[1].split('"')[0]
    places = [int(place) for place in formula_part[start:].split(",{")[1].split("}")[0].split(",")]
    if len(code) != 18 or any(character not in alphabet for character in code.upper()):
        return False
    total = sum(alphabet.index(code.upper()[place - 1]) * weight for place, weight in zip(places, weights, strict=True))
    return alphabet[(31 - total % 31) % 31] == code.upper()[-1]


@pytest.mark.parametrize(
    "code", [ONE, TWO, "91350100M000100Y43", "91310115MA1H8R7C6D", "91350100M000100Y4Z", "9131O117MA1J00014T", "9131"]
)
def test_the_check_of_a_template_is_that_of_the_standard(code: str) -> None:
    formula = check_formula(next(table for table in TABLES if table.name == "enterprises"), 7)
    assert evaluated(formula, code) == (uscc.problem(code) is None)
    assert "A7" in formula
    assert len(formula) < 8192, "the longest formula that Excel takes"


def test_the_commands_write_a_blank_load_it_and_report_each_refusal(ready_dsn: str, tmp_path: Path) -> None:
    blank = tmp_path / "企业.xlsx"
    assert run("template", "企业", "--output", str(blank)).exit_code == 0
    again = run("template", "enterprises", "--output", str(blank))
    assert again.exit_code == 1
    assert "exists" in again.output
    book = load_workbook(blank)
    sheet = book["企业"]
    rows: list[list[Any]] = [[ONE, "甲", "C34", "小型"], [9.13e17, "=HYPERLINK()", "C34", "巨型"]]
    for line, row in enumerate(rows, FIRST_ROW):
        for place, value in enumerate([*row, None, None, "2021-01-01", None, "行政", "synthetic"], 1):
            sheet.cell(line, place, value)
    book.save(blank)
    report = tmp_path / "refused.csv"
    load = ["load", "--database", ready_dsn, str(blank)]
    result = run(*load, "--report", str(report))
    assert result.exit_code == 1
    assert "3 refused, nothing loaded (有误，未导入)" in result.output
    written = list(csv.reader(report.read_text("utf-8-sig").splitlines()))
    assert written[0][:4] == ["文件 file", "工作表 sheet", "行 row", "列 column"]
    assert [row[:4] for row in written[1:]] == [["企业.xlsx", "企业", "5", name] for name in ("uscc", "name", "size")]
    sheet.delete_rows(5)
    book.save(blank)
    dry = run(*load, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "dry run: nothing loaded" in dry.output
    with connect(ready_dsn, application="tests") as conn:
        assert count(conn, "registry.enterprise_attribute") == 0
        done = run(*load)
        assert "企业.xlsx[企业]: 1 added, 0 changed, 0 unchanged" in done.output
        assert count(conn, "registry.enterprise_attribute") == 1


def test_a_list_with_another_name_and_without_basis_is_loaded_by_saying_what_it_is(
    ready_dsn: str, tmp_path: Path
) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (["统一社会信用代码", "企业名称", "企业规模"], [ONE, "甲", "小型"], ["合计", 1, None]):
        sheet.append(row)
    path = tmp_path / "名录 2025.xlsx"
    book.save(path)
    load = ["load", "--database", ready_dsn, str(path)]
    unknown = run(*load)
    assert unknown.exit_code == 1
    assert "未知的表" in unknown.output
    given = ["--table", "enterprises", "--legal-basis", "行政", "--source", "synthetic", "--valid-from", "2025-01-01"]
    done = run(*load, *given)
    assert done.exit_code == 0, done.output
    assert "note: 名录 2025.xlsx[Sheet]:3 a total" in done.output
    wrong = run(*load, *given[:-1], "soon")
    assert wrong.exit_code == 1
    assert "valid_from: found 'soon'" in wrong.output
    assert "没有这张表" in run(*load, "--table", "people").output


def test_the_list_of_tables_and_a_strange_suffix(tmp_path: Path) -> None:
    assert "enterprises  企业\n" in run("template").output
    assert run("template", "enterprises", "--output", str(tmp_path / "a.ods")).exit_code == 2


def test_the_commands_of_the_office_page_run(ready_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "imports.md").read_text("utf-8")
    commands = [shlex.split(line, comments=True)[2:] for line in page.splitlines() if line.startswith("g60 warehouse ")]
    assert [command[0] for command in commands] == ["template", "template", "load", "load", "load"]
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (["统一社会信用代码", "企业名称", "企业规模"], [ONE, "甲", "小型"]):
        sheet.append(row)
    book.save(tmp_path / commands[-1][1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("G60_DATABASE", ready_dsn)
    for command in commands:
        result = run(*command)
        assert result.exit_code == 0, result.output
    assert "1 added" in result.output
