"""An export goes on where one ended, says when values outgrow a folder, and a damaged or differing file is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as arrow_dataset
import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner

from edge_agent.contract.errors import BadRecord, Misconfigured
from tests.warehouse.parquet.filling import rows
from warehouse.cli import cli
from warehouse.parquet import export as module
from warehouse.parquet.catalogue import find
from warehouse.parquet.export import Told, Wanted, export
from warehouse.parquet.load import load
from warehouse.parquet.manifest import read
from warehouse.parquet.months import Span, of_month
from warehouse.postgres import Connection, connect

DAY = "energy.day_made_up"


@pytest.fixture
def made_up(connection: Connection) -> Connection:
    """A table by day, with half a year of rows."""
    connection.execute(
        """CREATE TABLE energy.day_made_up (meter int, day date, energy numeric, note text, PRIMARY KEY (meter, day));
           INSERT INTO energy.day_made_up
           SELECT m, date '2025-01-01' + d, m * d / 100.0, 'n'
           FROM generate_series(1, 3) m, generate_series(0, 180) d"""
    )
    return connection


def told(
    connection: Connection, folder: Path, *patterns: str, span: Span | None = None, again: bool = False
) -> list[Told]:
    found: list[Told] = []
    export(connection, folder, Wanted(patterns, span or Span(), again), found.append)
    return found


def test_only_what_is_new_is_written_the_next_time(made_up: Connection, tmp_path: Path) -> None:
    first = told(made_up, tmp_path, DAY)
    assert [(one.rows, one.written) for one in first] == [
        (93, True),
        (84, True),
        (93, True),
        (90, True),
        (93, True),
        (90, True),
    ]
    made_up.execute("INSERT INTO energy.day_made_up VALUES (4, '2025-03-15', 1, 'late')")
    second = told(made_up, tmp_path, DAY)
    assert [one.path for one in second if one.written] == [f"{DAY}/of_month=2025-03/data.parquet"]
    made_up.execute("DELETE FROM energy.day_made_up WHERE day >= '2025-06-01'")
    assert not any(one.written for one in told(made_up, tmp_path, DAY))
    assert not (tmp_path / DAY / "of_month=2025-06" / "data.parquet").exists()
    assert [one.written for one in told(made_up, tmp_path, DAY, again=True)] == [True] * 5


def test_a_run_that_was_cut_off_leaves_whole_files_and_is_continued(
    made_up: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    def cut(one: Told) -> None:
        if "2025-03" in one.path:
            raise PowerCut

    with pytest.raises(PowerCut):
        export(made_up, tmp_path, Wanted((DAY,)), cut)
    # Within a file: what was there of it before stays out of the manifest.
    monkeypatch.setattr("warehouse.parquet.manifest.sha256", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        told(made_up, tmp_path, DAY)
    monkeypatch.undo()
    assert list(tmp_path.rglob("*/.data.parquet.tmp")) != []
    manifest = read(tmp_path)
    assert manifest is not None
    assert [file.month for file in manifest.tables[DAY].files] == ["2025-01", "2025-02", "2025-03"]
    assert [one.written for one in told(made_up, tmp_path, DAY)] == [False] * 3 + [True] * 3
    made_up.execute("CREATE TABLE energy.saved AS TABLE energy.day_made_up; TRUNCATE energy.day_made_up")
    assert [(one.new, one.refusals) for one in load(made_up, tmp_path, [DAY])] == [(543, ())]
    assert made_up.execute("TABLE energy.saved EXCEPT TABLE energy.day_made_up").fetchall() == []


def test_a_month_that_was_not_over_is_written_again(made_up: Connection, tmp_path: Path) -> None:
    made_up.execute("INSERT INTO energy.day_made_up VALUES (9, current_date + 40, 1, 'plan')")
    assert sum(one.written for one in told(made_up, tmp_path, DAY)) == 7
    assert [one.written for one in told(made_up, tmp_path, DAY)] == [False] * 6 + [True]


def test_a_period_of_days_is_a_part_of_its_months(made_up: Connection, tmp_path: Path) -> None:
    part = Span(datetime.date(2025, 1, 31), datetime.date(2025, 3, 2))
    assert [(one.path[-20:-13], one.rows) for one in told(made_up, tmp_path, DAY, span=part)] == [
        ("2025-01", 3),
        ("2025-02", 84),
        ("2025-03", 3),
    ]
    # The whole months take the place of their parts.
    whole = told(made_up, tmp_path, DAY, span=Span(datetime.date(2025, 1, 1), datetime.date(2025, 3, 1)))
    assert [(one.rows, one.written) for one in whole] == [(93, True), (84, False)]


def test_months_of_shanghai_hold_every_time() -> None:
    assert of_month("2025-12") == Span(datetime.date(2025, 12, 1), datetime.date(2026, 1, 1))
    assert of_month("9999-12").end == datetime.date(9999, 12, 30)
    assert Span().within("2025-02") == Span()


def test_readings_belong_to_the_month_of_shanghai(connection: Connection, tmp_path: Path) -> None:
    connection.execute("SELECT ingest.ensure_month('2025-01-01'), ingest.ensure_month('2025-02-01')")
    connection.execute(
        """INSERT INTO ingest.reading_gauge VALUES
           (1, '2025-01-31 15:59:59.999Z', 1, 0, 1), (1, '2025-01-31 16:00Z', 2, 0, 1)"""
    )
    assert [(one.path[-20:-13], one.rows) for one in told(connection, tmp_path, "ingest.reading_gauge")] == [
        ("2025-01", 1),
        ("2025-02", 1),
    ]


def test_values_that_outgrow_the_folder_are_refused_with_words(made_up: Connection, tmp_path: Path) -> None:
    told(made_up, tmp_path, DAY)
    made_up.execute("INSERT INTO energy.day_made_up VALUES (5, '2025-07-02', 1e-9, 'small')")
    with pytest.raises(
        Misconfigured, match=r"energy\.day_made_up\.energy: now needs decimal128\(38, 9\).*another folder"
    ):
        told(made_up, tmp_path, DAY)
    made_up.execute("ALTER TABLE energy.day_made_up DROP COLUMN note")
    with pytest.raises(Misconfigured, match="other columns"):
        told(made_up, tmp_path, DAY)


def test_a_damaged_file_is_refused_before_anything_is_written(made_up: Connection, tmp_path: Path) -> None:
    told(made_up, tmp_path, DAY)
    made_up.execute("TRUNCATE energy.day_made_up")
    path = tmp_path / DAY / "of_month=2025-06" / "data.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(BadRecord, match="damaged"):
        list(load(made_up, tmp_path))
    path.unlink()
    with pytest.raises(BadRecord, match="missing"):
        list(load(made_up, tmp_path))
    assert made_up.execute("SELECT count(*) FROM energy.day_made_up").fetchone() == (0,)


def test_a_differing_row_refuses_its_table_whole_and_says_why(made_up: Connection, tmp_path: Path) -> None:
    dsn = _dsn(made_up)
    told(made_up, tmp_path, DAY, "registry.meter")
    made_up.execute("DELETE FROM energy.day_made_up WHERE meter = 1")
    made_up.execute("UPDATE energy.day_made_up SET energy = 7 WHERE meter = 2 AND day = '2025-02-03'")
    before = rows(made_up, *find(made_up, [DAY]))
    result = CliRunner().invoke(cli, ["import-parquet", str(tmp_path), "--database", dsn])
    assert result.exit_code == 1
    assert "meter=2, day=2025-02-03: energy: file 0.660000, database 7" in result.output
    assert rows(made_up, *find(made_up, [DAY])) == before
    result = CliRunner().invoke(cli, ["import-parquet", str(tmp_path), "--database", dsn, "--differing", "replace"])
    assert result.exit_code == 0, result.output
    assert f"{DAY}: new (新增) 181, same (相同) 361, replaced (替换) 1" in result.output


def test_a_row_that_a_constraint_does_not_allow_refuses_its_table(made_up: Connection, tmp_path: Path) -> None:
    told(made_up, tmp_path, DAY)
    made_up.execute("TRUNCATE energy.day_made_up; ALTER TABLE energy.day_made_up ADD CHECK (day < '2025-06-15')")
    (result,) = load(made_up, tmp_path)
    assert "day_made_up_day_check" in result.refusals[0]
    assert made_up.execute("SELECT count(*) FROM energy.day_made_up").fetchone() == (0,)


def test_piece_by_piece_gives_the_same_as_at_once(
    made_up: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PIECE_BYTES", 100)
    told(made_up, tmp_path, DAY)
    file = parquet.ParquetFile(tmp_path / DAY / "of_month=2025-01" / "data.parquet")
    assert file.num_row_groups > 10
    assert file.metadata.num_rows == 93
    assert isinstance(file.schema_arrow.field("day").type, type(pa.date32()))


def test_what_cannot_be_meant_is_said(made_up: Connection, tmp_path: Path) -> None:
    dsn = _dsn(made_up)

    def said(*words: str) -> str:
        result = CliRunner().invoke(cli, [*words, "--database", dsn])
        assert result.exit_code != 0
        return result.output

    folder = str(tmp_path)
    assert "no table or view is called energy.nothing" in said("export", "energy.nothing", "--to", folder)
    assert "--period" in said("export", DAY, "--to", folder, "--period", "2025", "--from", "2025-01-01")
    assert "--until" in said("export", DAY, "--to", folder, "--from", "2025-01-01", "--until", "2025-01-01")
    assert "period" in said("export", DAY, "--to", folder, "--period", "May")
    assert "manifest.json" in said("import-parquet", folder)
    done = CliRunner().invoke(cli, ["export", DAY, "--to", folder, "--period", "2025-02", "--database", dsn])
    assert done.output == f"written {DAY}/of_month=2025-02/data.parquet rows=84\n"
    assert "does not stand in" in said("import-parquet", folder, "--table", "registry.meter")
    assert "has no table of registry.*" in said("import-parquet", folder, "--table", "registry.*")


def _dsn(connection: Connection) -> str:
    return f"{connection.info.dsn} password={connection.info.password}"


def test_what_is_written_meanwhile_is_in_none_of_the_files(made_up: Connection, tmp_path: Path) -> None:
    with connect(_dsn(made_up), application="test") as other:

        def meanwhile(_: Told) -> None:
            other.execute("UPDATE energy.day_made_up SET energy = energy + 1")
            other.execute(
                "INSERT INTO registry.meter (serial, carrier, unit) VALUES (gen_random_uuid(), 'water', 'm3')"
            )

        manifest = export(made_up, tmp_path, Wanted((DAY, "registry.meter")), meanwhile)
    assert manifest.tables["registry.meter"].files[0].rows == 0
    assert len({file.snapshot for table in manifest.tables.values() for file in table.files}) == 1
    table = arrow_dataset.dataset(tmp_path / DAY, partitioning="hive").to_table()
    assert sum(table["energy"].to_pylist()) == sum(m * d for m in range(1, 4) for d in range(181)) / Decimal(100)
