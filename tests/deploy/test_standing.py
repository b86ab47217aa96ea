"""What `g60 status` says about the data of a system."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.standing import standing_line
from deploy.local.toml_text import dumps
from warehouse.migrate import migrate
from warehouse.postgres import connect


def folder_with(tmp_path: Path, dsn: str) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "sink.toml").write_text(dumps({"database": {"dsn": dsn}}), "utf-8")
    return tmp_path


def test_a_system_without_a_sink_or_a_look_says_nothing(tmp_path: Path, database: str) -> None:
    assert standing_line(tmp_path) == ""
    with connect(database, application="test") as connection:
        migrate(connection)
    assert standing_line(folder_with(tmp_path, database)) == ""


@pytest.mark.parametrize(
    ("pace", "minutes", "age", "said"),
    [
        ("up_to_date", None, "1 s", "data (数据): up to date (已追平)"),
        ("catching_up", 2.4, "1 s", "data (数据): catching up, 3 minutes left (正在追赶，约 3 分钟)"),
        (
            "falling_behind",
            None,
            "10 min",
            "data (数据): falling behind, 50 min (正在落后), as of more than a minute ago (一分钟前的状态)",
        ),
    ],
)
def test_what_is_said(tmp_path: Path, database: str, pace: str, minutes: float | None, age: str, said: str) -> None:
    with connect(database, application="test") as connection:
        migrate(connection)
        connection.execute(
            "insert into ingest.sink_standing values ('a', clock_timestamp() - %s::interval, %s, 9000, 3000, 1, 2, %s)",
            [age, pace, minutes],
        )
    assert standing_line(folder_with(tmp_path, database)) == said


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    said = standing_line(folder_with(tmp_path, "host=127.0.0.1 port=1 dbname=none user=none"))
    assert said.startswith("data (数据): unknown (未知): database: ")
