"""Registers: how long an office waits for the reference data of 10 000 enterprises, as CSV and as Excel workbooks."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook

from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say
from tests.benchmarks.stage import Stage
from warehouse.postgres import Connection
from warehouse.registry import uscc
from warehouse.registry.load import load_folder, load_reference

Rows = Sequence[Mapping[str, str]]
SHARED: Final = {"valid_from": "2021-01-01", "legal_basis": "administrative", "source": "synthetic"}


def registers(stage: Stage, scale: Scale, say: Say) -> Result:
    """Load three registers with a row for each enterprise into an empty database; all rows again change nothing.

    ``csv_s`` and ``xlsx_s`` are the medians of loading all of them once, with what a load always does: read, check
    every cell, compare with what is known, write.
    """
    found: dict[str, object] = {"enterprises": scale.enterprises}
    tables = _tables(scale.enterprises)
    for form, write in (("csv", _write_csv), ("xlsx", _write_xlsx)):
        first, again = [], []
        for number in range(scale.rounds):
            with stage.place() as place, place.database() as connection:
                load_reference(connection)
                folder = place.folder / form
                folder.mkdir()
                for name, rows in tables.items():
                    write(folder / f"{name}.{form}", rows)
                first.append(_timed(lambda: _load(connection, folder, scale.enterprises)))  # noqa: B023  # called at once
                again.append(_timed(lambda: _load(connection, folder, 0)))  # noqa: B023  # called at once
            say(f"  {form} {number + 1}: {first[-1]:.2f} s, again {again[-1]:.2f} s")
        found[f"{form}_s"] = statistics.median(first)
        found[f"{form}_again_s"] = statistics.median(again)
    return found


def _tables(enterprises: int) -> dict[str, Rows]:
    codes = []
    for number in range(enterprises):
        first17 = f"91310117MA2{number:06d}"
        codes.append(first17 + uscc.check_character(first17))
    return {
        "enterprises": [
            {
                "uscc": code,
                "name": f"合成企业{number}",
                "sector": "C34",
                "size": "small",
                "registered_region": "310117107000",
            }
            | SHARED
            for number, code in enumerate(codes)
        ],
        "platform_members": [
            {"platform": "cosmoplat", "uscc": code, "grade": "platform_attested", "state": "active"}
            | SHARED
            | {"attested_on": "2024-06-30"}
            for code in codes
        ],
        "enterprise_figures": [
            {"uscc": code, "employees": "260", "revenue_10k_cny": "31250.5"} | SHARED for code in codes
        ],
    }


def _load(connection: Connection, folder: Path, added: int) -> None:
    report = load_folder(connection, folder)
    told = [file.added for file in report.files]
    if report.refused or told != [added] * 3:
        raise RuntimeError(f"loaded {told}, refused {len(report.refused)}: {report.refused[:3]}")


def _write_csv(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_xlsx(path: Path, rows: Rows) -> None:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(path.stem)
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    workbook.save(path)


def _timed(work: Callable[[], None]) -> float:
    began_mono_s = time.monotonic()
    work()
    return time.monotonic() - began_mono_s
