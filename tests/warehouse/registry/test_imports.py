"""Files as offices have them: encodings, merged headers, units, totals, and what spreadsheets do to codes and days."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from edge_agent.contract.errors import BadRecord
from tests.warehouse.registry.test_load import ONE, TWO
from tests.warehouse.registry.unhurried import FEW, UNHURRIED
from warehouse.registry.csv_file import decode
from warehouse.registry.files import PACE, Reading, Sheet, read
from warehouse.registry.tables import known

GIVEN = {"legal_basis": "administrative", "source": "synthetic", "valid_from": "2024-01-01"}


def checked(path: Path, table: str | None = None, given: Mapping[str, str] = GIVEN) -> Sheet:
    reading = Reading(given)
    read(path, reading, known(table) if table else None)
    assert [str(one) for one in reading.refused] == []
    (sheet,) = reading.sheets
    return sheet


def workbook(path: Path, rows: Sequence[Sequence[Any]], sheet_name: str = "Sheet1", **formats: str) -> Worksheet:
    """Save rows as a workbook; ``formats`` are number formats by cell (``B2``)."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = sheet_name
    for row in rows:
        sheet.append(list(row))
    for cell, number_format in formats.items():
        sheet[cell].number_format = number_format
    book.save(path)
    return sheet


def figures(tmp_path: Path, rows: Sequence[Sequence[Any]], **formats: str) -> Sheet:
    workbook(tmp_path / "企业划型指标.xlsx", rows, **formats)
    return checked(tmp_path / "企业划型指标.xlsx")


def found(sheet: Sheet, *names: str) -> list[tuple[Any, ...]]:
    assert [str(one) for one in sheet.refused] == []
    return [tuple(row[name] for name in names) for _, row in sheet.rows]


def refused(sheet: Sheet) -> list[tuple[int, str]]:
    return [(one.line, one.column) for one in sheet.refused]


# CSV -----------------------------------------------------------------------------------------------------------------

NAMES = f"统一社会信用代码,企业名称,企业规模\n{ONE},上海示例机械有限公司,小型\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_utf_8_and_gb18030_are_told_apart(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "企业.csv").write_bytes(NAMES.encode(encoding))
    sheet = checked(tmp_path / "企业.csv")
    assert found(sheet, "uscc", "name", "size") == [(ONE, "上海示例机械有限公司", "small")]


@UNHURRIED
@given(st.text())
def test_what_is_valid_utf_8_is_utf_8(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@UNHURRIED
@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30))
def test_gb18030_is_read_to_the_letter_where_it_is_no_utf_8(text: str) -> None:
    raw = text.encode("gb18030")
    try:
        expected = raw.decode("utf-8")
    except UnicodeDecodeError:
        expected = text
    assert decode(raw) == expected


def test_bytes_that_are_neither_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="byte 8 is not UTF-8 and byte 8 is not GB18030"):
        decode(b"uscc,abc\xff\n")
    mixed = "企业名称,".encode() + b"\x81\xff"
    with pytest.raises(BadRecord, match="byte 13 is not UTF-8"):
        decode(mixed)
    with pytest.raises(BadRecord, match="UTF-16"):
        decode("uscc".encode("utf-16"))


def test_titles_units_totals_remarks_and_blank_rows_of_a_csv(tmp_path: Path) -> None:
    text = f"""松江区企业划型指标表,,,,
,,,,单位：亿元、人
序号,统一社会信用代码,从业人员（人）,营业收入,资产总额（万元）
1,{ONE},"1,200",3.5,-
,,,,
2,{TWO},80,"１，２００万元",6000
合  计,,"1,280",3.62,6000
注：数据为年报口径,,,,
填表人：张三,,,,2025年1月5日
"""
    path = tmp_path / "enterprise_figures.csv"
    path.write_text(text, "utf-8")
    sheet = checked(path)
    assert found(sheet, "uscc", "employees", "revenue_10k_cny", "assets_10k_cny") == [
        (ONE, 1200, Decimal(35000), None),
        (TWO, 80, Decimal(1200), Decimal(6000)),
    ]
    assert [line for line, _ in sheet.rows] == [4, 6]
    assert [(note.line, "合计" in note.why) for note in sheet.notes] == [(7, True), (8, False), (9, False)]


def test_an_office_that_is_called_total_works_is_no_total(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_text(f"企业名称,统一社会信用代码,企业规模\n总计量器具公司,{ONE},小型\n", "utf-8")
    assert found(checked(tmp_path / "企业.csv"), "name") == [("总计量器具公司",)]


@pytest.mark.parametrize("line", ["单位：美元", "单位：万", "单位：万元、千克力", "计量单位：上海某某公司"])
def test_a_unit_that_is_not_understood_is_refused_not_ignored(tmp_path: Path, line: str) -> None:
    path = tmp_path / "enterprise_figures.csv"
    path.write_text(f"{line},,\nuscc,employees,revenue_10k_cny\n{ONE},1,1\n", "utf-8")
    assert refused(checked(path)) == [(1, "(unit)")]


def test_an_office_named_in_a_line_above_is_no_unit(tmp_path: Path) -> None:
    path = tmp_path / "enterprise_figures.csv"
    path.write_text(f"填报单位：松江区经信委,,\nuscc,employees,revenue_10k_cny\n{ONE},1,1\n", "utf-8")
    assert found(checked(path), "revenue_10k_cny") == [(Decimal(1),)]


def test_a_unit_in_a_header_that_is_none_of_the_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "enterprise_figures.csv"
    path.write_text(f"uscc,营业收入（千克）\n{ONE},1\n", "utf-8")
    (refusal,) = checked(path).refused
    assert (refusal.line, refusal.column) == (1, "revenue_10k_cny")
    assert "亿元" in refusal.allowed


def test_apostrophes_by_which_a_cell_is_text_are_taken_off_and_quotations_are_not(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_text(f"uscc,name,size\n'{ONE},'十四五'示范公司,'小型\n", "utf-8")
    assert found(checked(tmp_path / "企业.csv"), "uscc", "name", "size") == [(ONE, "'十四五'示范公司", "small")]


def test_a_code_that_excel_wrote_as_a_number_into_a_csv_is_refused_by_row(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_text(f"uscc,name,size\n9.13E+17,甲,小型\n{ONE},乙,小型\n", "utf-8")
    (refusal,) = checked(tmp_path / "企业.csv").refused
    assert (refusal.line, refusal.column) == (2, "uscc")
    assert "9.13E+17" in refusal.found
    assert "format the column as text" in refusal.found


def test_columns_that_a_list_lacks_are_given_once_for_all(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_text(NAMES, "utf-8")
    sheet = checked(tmp_path / "企业.csv", given=GIVEN | {"valid_from": "2025年1月1日"})
    assert found(sheet, "legal_basis", "source", "valid_from") == [("administrative", "synthetic", date(2025, 1, 1))]
    missing = checked(tmp_path / "企业.csv", given={})
    assert refused(missing) == [(1, "valid_from"), (1, "legal_basis"), (1, "source")]
    assert "起始日" in missing.refused[0].found


def test_values_under_no_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_text(f"uscc,name,size,,\n{ONE},甲,小型,,\n{TWO},乙,小型,x,\n", "utf-8")
    assert refused(checked(tmp_path / "企业.csv")) == [(3, "(column 4)")]


# Excel ---------------------------------------------------------------------------------------------------------------


def test_merged_headers_over_two_rows_are_flattened(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "集群企业名单"
    sheet.append(["松江区产业集群企业名单"])
    sheet.append(["序号", "企业基本情况", None, "集群情况", None, None, "有效期", None])
    sheet.append([None, "统一社会信用代码", "产业集群", "角色", "主导产品占比(%)", "文件", "起始", "截止"])
    sheet.append([1, ONE, "biomedicine", "链主", 62.5, "松经信〔2024〕12号", date(2024, 1, 1), "2025年1月1日"])
    for merged in ("A1:H1", "A2:A3", "B2:C2", "D2:F2", "G2:H2"):
        sheet.merge_cells(merged)
    book.save(tmp_path / "名单.xlsx")
    loaded = checked(tmp_path / "名单.xlsx", given={key: GIVEN[key] for key in ("legal_basis", "source")})
    names = ("uscc", "cluster", "role", "main_product_share", "document", "valid_from", "valid_to")
    assert found(loaded, *names) == [
        (ONE, "biomedicine", "lead", Decimal("62.5"), "松经信〔2024〕12号", date(2024, 1, 1), date(2025, 1, 1))
    ]
    assert loaded.name == "名单.xlsx[集群企业名单]"
    assert [line for line, _ in loaded.rows] == [4]


def test_a_header_of_two_rows_in_both_languages_is_one(tmp_path: Path) -> None:
    sheet = figures(tmp_path, [["统一社会信用代码", "从业人员"], ["uscc", "employees"], [ONE, 20]])
    assert found(sheet, "uscc", "employees") == [(ONE, 20)]


def test_a_code_that_excel_made_a_number_is_refused_by_row_and_says_how_to_mend_it(tmp_path: Path) -> None:
    digits_only = 913101170000000123
    sheet = figures(tmp_path, [["uscc", "employees"], [9.13e17, 20], [ONE, 30], [digits_only, 40]])
    assert refused(sheet) == [(2, "uscc"), (4, "uscc")]
    assert "设为文本格式" in sheet.refused[0].found
    assert [line for line, _ in sheet.rows] == [3]


@FEW
@given(st.integers(0, 10**15 - 1), st.integers(0, 6))
def test_a_number_cell_is_the_decimal_that_a_person_sees(
    tmp_path_factory: pytest.TempPathFactory, n: int, d: int
) -> None:
    number = Decimal(n).scaleb(-d)
    folder = tmp_path_factory.mktemp("decimals")
    sheet = figures(folder, [["uscc", "revenue_10k_cny"], [ONE, float(number)]])
    assert found(sheet, "revenue_10k_cny") == [(number,)]


def test_numbers_with_more_digits_than_a_spreadsheet_keeps_or_the_column_allows_are_refused(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["uscc", "revenue_10k_cny"], [ONE, 1 / 3], [TWO, 0.1234567], [ONE, 0.3]]
    sheet = figures(tmp_path, rows)
    assert refused(sheet) == [(2, "revenue_10k_cny"), (3, "revenue_10k_cny")]
    assert "四舍五入" in sheet.refused[0].found
    assert "小数超过6位" in sheet.refused[1].found


def test_percent_cells_are_percentages_and_refused_where_none_is_meant(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["uscc", "cluster", "role", "main_product_share", "document"],
        [ONE, "biomedicine", "core", 0.625, "D"],
    ]
    workbook(tmp_path / "cluster_members.xlsx", rows, D2="0.0%")
    assert found(checked(tmp_path / "cluster_members.xlsx"), "main_product_share") == [(Decimal("62.5"),)]
    assert refused(figures(tmp_path, [["uscc", "employees"], [ONE, 0.5]], B2="0%")) == [(2, "employees")]


def test_a_title_row_gives_the_unit_and_a_cell_with_its_own_goes_before(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["表一", None, "（单位：亿元）"],
        ["统一社会信用代码", "营业收入", "资产总额/万元"],
        [ONE, 1.25, "1,000"],
        [TWO, "1.25万元", "2亿"],
    ]
    sheet = figures(tmp_path, rows)
    assert found(sheet, "revenue_10k_cny", "assets_10k_cny") == [
        (Decimal(12500), Decimal(1000)),
        (Decimal("1.25"), Decimal(20000)),
    ]


def test_days_of_excel_are_days_and_a_number_that_was_a_month_is_refused(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["名录", "统一社会信用代码", "入库月份", "退库月份"],
        ["规上工业", ONE, datetime(2024, 3, 1), "2025年1月"],  # noqa: DTZ001  # as a sheet has it
        ["规上工业", TWO, 2025.1, None],
        ["规上工业", TWO, date(2024, 3, 2), None],
    ]
    path = tmp_path / "rosters.xlsx"
    workbook(path, rows, C2="yyyy年m月", C4="yyyy-mm-dd")
    sheet = checked(path)
    assert refused(sheet) == [(3, "valid_from"), (4, "valid_from")]
    assert "文本格式" in sheet.refused[0].found
    assert [(row["valid_from"], row["valid_to"]) for _, row in sheet.rows] == [(date(2024, 3, 1), date(2025, 1, 1))]


def test_times_of_excel_are_those_of_shanghai(tmp_path: Path) -> None:
    at = datetime(2025, 3, 4, 10, 20)  # noqa: DTZ001  # as a sheet has it
    rows: list[list[Any]] = [
        ["uscc", "原因", "申报方", "申报日期", "起始时间", "终止时间"],
        [ONE, "检修", "企业", date(2025, 3, 1), at, date(2025, 3, 6)],
    ]
    workbook(tmp_path / "planned_stops.xlsx", rows)
    ((start, end),) = found(checked(tmp_path / "planned_stops.xlsx"), "valid_from", "valid_to")
    assert (start.isoformat(), end.isoformat()) == ("2025-03-04T02:20:00+00:00", "2025-03-05T16:00:00+00:00")
    shifts: list[list[Any]] = [
        ["uscc", "班次", "星期", "开始时间", "结束时间", "节假日上班"],
        [ONE, "早", "1-5", time(8, 0), "16:30", "否"],
    ]
    workbook(tmp_path / "shifts.xlsx", shifts)
    assert found(checked(tmp_path / "shifts.xlsx"), "start_minute", "end_minute") == [(480, 990)]


def test_formulas_count_by_their_kept_result_and_without_one_are_refused(tmp_path: Path) -> None:
    sheet = figures(tmp_path, [["uscc", "employees"], [ONE, "=10+10"], [TWO, 30]])
    assert refused(sheet) == [(2, "employees")]
    assert "公式没有计算结果" in sheet.refused[0].found
    assert found(figures_with_cached_result(tmp_path), "employees") == [(20,), (30,)]


def figures_with_cached_result(tmp_path: Path) -> Sheet:
    """Put into the workbook what Excel would: the result beside the formula."""
    import zipfile

    source, target = tmp_path / "企业划型指标.xlsx", tmp_path / "cached"
    target.mkdir()
    with zipfile.ZipFile(source) as packed, zipfile.ZipFile(target / source.name, "w") as made:
        for part in packed.infolist():
            content = packed.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                before = content
                content = content.replace(b"<f>10+10</f><v></v>", b"<f>10+10</f><v>20</v>").replace(
                    b"<f>10+10</f><v />", b"<f>10+10</f><v>20</v>"
                )
                assert content != before
            made.writestr(part, content)
    return checked(target / source.name)


def test_error_cells_are_refused(tmp_path: Path) -> None:
    sheet = figures(tmp_path, [["uscc", "employees"], [ONE, "#DIV/0!"]])
    assert refused(sheet) == [(2, "employees")]


def test_merged_cells_among_the_data_are_refused(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in (["uscc", "employees"], [ONE, 20], [TWO, None]):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    book.save(tmp_path / "enterprise_figures.xlsx")
    loaded = checked(tmp_path / "enterprise_figures.xlsx")
    assert (2, "employees") in refused(loaded)
    assert "取消合并" in loaded.refused[0].allowed


def test_serial_numbers_typed_as_numbers_keep_their_digits_or_are_refused(tmp_path: Path) -> None:
    names = ["表号", "能源品种", "uscc", "表计类型"]
    rows: list[list[Any]] = [
        names,
        [310023456789, "电力", ONE, "总表"],
        [423, "电力", ONE, "总表"],
        [3100234567891234567, "电力", ONE, "总表"],
        [3.10023456789123e18, "电力", ONE, "总表"],  # as Excel keeps the one above
    ]
    workbook(tmp_path / "meters.xlsx", rows, A3="000000")
    sheet = checked(tmp_path / "meters.xlsx")
    assert refused(sheet) == [(4, "serial"), (5, "serial")]
    assert "设为文本格式" in sheet.refused[1].found
    assert [row["serial"] for _, row in sheet.rows] == ["310023456789", "000423"]


def test_a_code_of_which_a_spreadsheet_made_a_day_or_an_hour_is_refused(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["网关", "uscc", "安装位置"],
        [date(2025, 3, 12), ONE, date(2025, 3, 12)],
        [time(3, 12), ONE, ""],
        ["3-12", ONE, ""],
    ]
    workbook(tmp_path / "gateway_bindings.xlsx", rows)
    sheet = checked(tmp_path / "gateway_bindings.xlsx")
    assert refused(sheet) == [(2, "gateway"), (3, "gateway")]
    assert "日期单元格" in sheet.refused[0].found
    assert [row["gateway"] for _, row in sheet.rows] == ["3-12"]


def test_a_header_that_is_printed_on_each_page_is_passed_over(tmp_path: Path) -> None:
    names = ["uscc", "employees"]
    sheet = figures(tmp_path, [names, [ONE, 20], names, [TWO, 30]])
    assert [line for line, _ in sheet.rows] == [2, 4]
    assert [note.line for note in sheet.notes] == [3]


def test_a_workbook_has_the_tables_that_its_sheets_are_named_after(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = "企业"
    first.append(["uscc", "企业名称", "规模"])
    first.append([ONE, "甲", "小型"])
    second = book.create_sheet("enterprise_figures")
    second.append(["uscc", "employees"])
    second.append([ONE, 20])
    hidden = book.create_sheet("旧表")
    hidden.append(["uscc"])
    hidden.sheet_state = "hidden"
    book.create_sheet("空表")
    book.save(tmp_path / "2025年报.xlsx")
    reading = Reading(GIVEN)
    read(tmp_path, reading)
    assert reading.refused == []
    assert [(sheet.table.name, len(sheet.rows)) for sheet in reading.sheets] == [
        ("enterprises", 1),
        ("enterprise_figures", 1),
    ]
    (tmp_path / "企业.csv").write_text(NAMES, "utf-8")
    again = Reading(GIVEN)
    read(tmp_path, again)
    assert [one.column for one in again.refused] == ["(file)"]


def test_what_belongs_to_no_table_or_is_no_workbook_is_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "报表.xlsx", [["uscc"], [ONE]], "第一页")
    (tmp_path / "enterprises.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    (tmp_path / "rosters.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "~$open.xlsx").write_bytes(b"lock")
    reading = Reading(GIVEN)
    read(tmp_path, reading)
    assert [(one.file, one.sheet) for one in reading.refused] == [
        ("enterprises.xlsx", ""),
        ("rosters.xls", ""),
        ("报表.xlsx", "第一页"),
    ]
    assert ".xlsx" in reading.refused[1].allowed


def test_a_sheet_without_a_header_says_what_it_looked_for(tmp_path: Path) -> None:
    sheet = figures(tmp_path, [["x", "y"], [1, 2]])
    assert refused(sheet) == [(1, "(header)")]
    assert "uscc" in sheet.refused[0].allowed


def test_the_reader_of_csv_and_of_excel_agree(tmp_path: Path) -> None:
    rows = [["uscc", "employees", "营业收入（亿元）"], [ONE, "1,200", "1.25"], [TWO, "90", "0.3"]]
    workbook(tmp_path / "enterprise_figures.xlsx", rows)
    with (tmp_path / "enterprise_figures.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)
    one, two = (checked(tmp_path / f"enterprise_figures.{kind}") for kind in ("csv", "xlsx"))
    assert one.rows == two.rows
    assert one.refused == two.refused == ()


def test_a_row_that_has_something_under_no_name_only_does_not_vanish(tmp_path: Path) -> None:
    (tmp_path / "企业.csv").write_text(f"序号,uscc,name,size,\n1,{ONE},甲,小型,\n2,,,,x\n3,,,,\n", "utf-8")
    assert (3, "(column 5)") in refused(checked(tmp_path / "企业.csv"))


def test_a_workbook_whose_names_disagree_or_leave_a_sheet_over_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = "企业"
    first.append(["uscc", "name", "size"])
    first.append([ONE, "甲", "小型"])
    book.save(tmp_path / "rosters.xlsx")
    book.create_sheet("说明").append(["请认真填写"])
    book.save(tmp_path / "enterprises.xlsx")
    book.remove(first)
    book["说明"]["A1"] = None
    book.save(tmp_path / "consents.xlsx")
    for name, table, expected in (
        ("rosters.xlsx", None, [("", "名称不一致")]),
        ("rosters.xlsx", "enterprises", []),
        ("enterprises.xlsx", None, [("说明", "未知的表")]),
        ("enterprises.xlsx", "enterprises", [("说明", "未知的表")]),
        ("consents.xlsx", None, [("", "没有内容")]),
    ):
        reading = Reading(GIVEN)
        read(tmp_path / name, reading, known(table) if table else None)
        assert [one.sheet for one in reading.refused] == [sheet for sheet, _ in expected]
        assert all(part in one.found for one, (_, part) in zip(reading.refused, expected, strict=True))


def test_a_long_file_tells_how_far_it_is(tmp_path: Path) -> None:
    lines = [f"{ONE},甲,小型"] * (2 * PACE)
    (tmp_path / "企业.csv").write_text("\n".join(["uscc,name,size", *lines]), "utf-8")
    told: list[tuple[str, int]] = []
    reading = Reading(GIVEN, lambda name, rows: told.append((name, rows)))
    read(tmp_path / "企业.csv", reading)
    assert told == [("企业.csv", PACE), ("企业.csv", 2 * PACE)]
