"""`g60 warehouse retention`: decide, see, do."""

from __future__ import annotations

from datetime import date

import pytest
from click.testing import CliRunner

from edge_agent.contract.errors import Misconfigured
from tests.warehouse.energy.plant import MARCH, QUARTER, Plant, every_quarter
from warehouse.cli import cli
from warehouse.energy.job import close
from warehouse.postgres import Connection
from warehouse.retention.decide import Word, final, finalise

BY = ("--by", "数据科", "--document", "松经信〔2026〕12号")


def said(dsn: str, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["retention", *words, "--database", dsn])
    assert result.exit_code == code, result.output
    return result.output


def test_a_decision_is_made_seen_and_carried_out(warehouse: str, connection: Connection) -> None:
    plant = Plant(connection)
    _, series = plant.metered("a")
    plant.read(series, every_quarter(range(100)))
    close(connection, MARCH + 96 * QUARTER)
    assert "nothing is final" in said(warehouse, "plan")
    assert said(warehouse, "set", "reading_register", "--keep-days", "62", *BY) == ""
    page = said(warehouse, "plan")
    assert "62 d" in page
    assert "keep 保留: not_final" in page
    assert "松经信〔2026〕12号" in page
    assert "final through 2026-03-02" in said(warehouse, "finalise", "2026-03-02", *BY)
    assert "final through 2026-03-02" in said(warehouse, "plan")
    assert "1 stay for a reason" in said(warehouse, "run")
    said(warehouse, "set", "reading_register", "--keep-for-ever", *BY)
    assert "for ever 永久" in said(warehouse, "plan")
    assert "0 stay for a reason" in said(warehouse, "run")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("set", "reading_register", *BY), "nothing to set"),
        (("set", "reading_register", "--keep-days", "90", "--keep-for-ever", *BY), "exclude each other"),
    ],
)
def test_what_makes_no_sense_is_told(warehouse: str, words: tuple[str, ...], told: str) -> None:
    assert told in said(warehouse, *words, code=2)


def test_a_period_is_final_only_when_its_accounts_are_done(connection: Connection) -> None:
    word = Word("office", "decree")
    plant = Plant(connection)
    _, series = plant.metered("a")
    plant.read(series, every_quarter(range(300)))
    with pytest.raises(Misconfigured, match="not closed"):
        finalise(connection, date(2026, 3, 2), word)
    close(connection, MARCH + 2 * 96 * QUARTER)
    with pytest.raises(Misconfigured, match="not closed"):
        finalise(connection, date(2026, 3, 4), word)
    connection.execute("update registry.multiplier set ct = 2")
    with pytest.raises(Misconfigured, match="marks"):
        finalise(connection, date(2026, 3, 2), word)
    close(connection, MARCH + 2 * 96 * QUARTER)
    finalise(connection, date(2026, 3, 2), word)
    finalise(connection, date(2026, 3, 3), word)
    assert final(connection) == (date(2026, 3, 3), word)
    with pytest.raises(Misconfigured, match="already"):
        finalise(connection, date(2026, 3, 2), word)
