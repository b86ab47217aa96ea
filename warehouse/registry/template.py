"""The blank of a table: header in both languages, what each column allows, an example, and a column that checks.

Rows that begin with ``#`` are explanations; the loader skips them, and it does not read the column that checks.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from warehouse.registry import cells, uscc
from warehouse.registry.cells import Figures
from warehouse.registry.files import COMMENT
from warehouse.registry.tables import Column, Table

ROWS: Final = 500
"""Rows of a workbook that are prepared with lists and checks; further ones may be used."""
FIRST_ROW: Final = 4
"""Where the rows to fill in begin."""
CHECK: Final = "检查 (check)"
_FORMATS: Final = {"date": "yyyy-mm-dd", "timestamptz": "yyyy-mm-dd hh:mm"}


def as_csv(table: Table) -> bytes:
    """Return the blank as CSV, UTF-8 with a byte order mark, so that Excel reads it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*map(heading, table.columns), CHECK])
    writer.writerow(_explained([_allowed(column) for column in table.columns], "填写说明"))
    writer.writerow(_explained([example(column) for column in table.columns], "例"))
    writer.writerow([*("" for _ in table.columns), check_formula(table, FIRST_ROW)])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(table: Table) -> bytes:
    """Return the blank as a workbook: codes as text, words to choose from, a check in every row."""
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):  # a new workbook has one
        raise TypeError(sheet)
    sheet.title = table.zh
    sheet.append([*map(heading, table.columns), CHECK])
    sheet.append(_explained([_allowed(column) for column in table.columns], "填写说明"))
    sheet.append(_explained([example(column) for column in table.columns], "例"))
    _dress(sheet, len(table.columns) + 1)
    lists = book.create_sheet("_lists")
    lists.sheet_state = "hidden"
    last = FIRST_ROW + ROWS - 1
    for place, column in enumerate(table.columns, 1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].number_format = _number_format(column)
        if words := _words(column):
            for row, word in enumerate(words, 1):
                lists.cell(row, place, word)
            formula = f"{quote_sheetname(lists.title)}!${letter}$1:${letter}${len(words)}"
            choice = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=True)
            choice.error = f"请从列表中选择 / choose from the list: {column.zh}"[:250]
            choice.add(f"{letter}{FIRST_ROW}:{letter}{last}")
            sheet.add_data_validation(choice)
    for row in range(FIRST_ROW, last + 1):
        sheet.cell(row, len(table.columns) + 1, check_formula(table, row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def heading(column: Column) -> str:
    """Return the name of a column in both languages, as the loader reads it."""
    return f"{column.zh} ({column.name})"


def example(column: Column) -> str:
    """Return the example of a column, as an office would write it."""
    return column.cell.words.get(column.example) or column.example


def check_formula(table: Table, row: int) -> str:
    """Return the formula that says of a row whether its required cells are filled and its codes right.

    Empty for an empty row, ``ok``, or what is wrong. The check character is computed as in :mod:`uscc`.
    """
    letters = {column.name: f"{get_column_letter(place)}{row}" for place, column in enumerate(table.columns, 1)}
    first, last = letters[table.columns[0].name], letters[table.columns[-1].name]
    missing = ",".join(f'{letters[column.name]}=""' for column in table.columns if not column.optional)
    codes = ",".join(_code_right(letters[column.name]) for column in table.columns if column.cell is cells.USCC)
    right = '"ok"' if not codes else f'IF(AND({codes}),"ok","信用代码有误 wrong code")'
    return (
        f'=IF(COUNTA({first}:{last})=0,"",IF(LEFT({first},1)="{COMMENT}","",'
        f'IF(OR({missing}),"缺必填项 missing",{right})))'
    )


def _code_right(cell: str) -> str:
    places = ",".join(str(place) for place in range(1, 18))
    weights = ",".join(str(weight) for weight in uscc.WEIGHTS)
    alphabet = f'"{uscc.ALPHABET}"'
    total = f"SUMPRODUCT((FIND(MID(UPPER({cell}),{{{places}}},1),{alphabet})-1)*{{{weights}}})"
    character = f"MID({alphabet},MOD(31-MOD({total},31),31)+1,1)"
    return f'OR({cell}="",IFERROR(AND(LEN({cell})=18,{character}=UPPER(RIGHT({cell},1))),FALSE))'


def _explained(texts: list[str], label: str) -> list[str]:
    return [f"{COMMENT}{label} {texts[0]}", *texts[1:]]


def _allowed(column: Column) -> str:
    need = "选填 optional" if column.optional else "必填 required"
    return f"{need}: {column.cell.allowed}{f'; {column.note}' if column.note else ''}"


def _words(column: Column) -> list[str]:
    return [chinese or word for word, chinese in column.cell.words.items()]


def _number_format(column: Column) -> str:
    if column.cell.figures is Figures.VALUE:
        return "General"
    if column.cell is cells.MONTH:
        return "@"
    return _FORMATS.get(column.cell.sql_type, "@")


def _dress(sheet: Worksheet, columns: int) -> None:
    sheet.freeze_panes = f"A{FIRST_ROW}"
    for place in range(1, columns + 1):
        head = sheet.cell(1, place)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="DDEBF7")
        sheet.column_dimensions[get_column_letter(place)].width = 24
        for row in (2, 3):
            cell = sheet.cell(row, place)
            cell.number_format = "@"
            cell.font = Font(italic=True, color="7F7F7F")
            cell.alignment = Alignment(wrap_text=True, vertical="top")
