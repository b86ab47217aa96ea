"""What `g60 warehouse ledger`, `count` and `completeness` show a person."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta

from click.testing import CliRunner

from tests.warehouse.ledger.plant import GATEWAY, START, Plant, Reading
from tests.warehouse.sink.feed import EPOCH, T0, Log, birth, sink, telemetry, write
from warehouse.cli import cli
from warehouse.ledger.completeness import count
from warehouse.ledger.holes import watch
from warehouse.ledger.listing import BEHIND, gateways_table
from warehouse.postgres import Connection

OF = birth()


def said(warehouse: str, *arguments: str) -> list[str]:
    result = CliRunner().invoke(cli, [*arguments, "--database", warehouse])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def cells(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def test_holes_are_shown_with_place_age_and_size(warehouse: str, connection: Connection) -> None:
    log = Log()
    with sink(warehouse) as store:
        readings = {"p": [(T0 + n, n) for n in range(10)]}
        write(store, log.birth(OF), *(log.message(telemetry(OF, seq, readings)) for seq in (1, 2, 5, 9)))
        write(store, log.message(telemetry(OF, 10, {}, dropped=[(6, 6, "corrupt", 3)])))
        before = said(warehouse, "ledger", "--holes")
        assert before[-1] == BEHIND
        watch(connection, datetime.now(UTC) - timedelta(hours=5, minutes=10))
        lines = said(warehouse, "ledger", "--holes")
        assert cells(lines[:1]) == [["gateway", "epoch", "messages", "count", "readings", "state", "since", "age"]]
        # 40 readings in 5 stored messages: 8 a message.
        assert [line[:6] for line in cells(lines[2:])] == [
            ["gw", str(EPOCH), "3-4", "2", "≈16", "open"],
            ["gw", str(EPOCH), "6", "1", "3", "dropped:"],
            ["gw", str(EPOCH), "7-8", "2", "≈16", "open"],
        ]
        assert [lines[place].endswith("5 h") for place in (2, 4)] == [True, True]
        assert BEHIND not in lines
        write(store, *(log.message(telemetry(OF, seq, readings)) for seq in (3, 4)))
        assert cells(said(warehouse, "count"))[0] == cells(["holes: 1 open, 0 lost, 1 closed since the last look"])[0]
    closed = cells(said(warehouse, "ledger", "--closed", "--gateway", "gw"))
    assert [line[:5] + line[-2:] for line in closed[2:]] == [["gw", str(EPOCH), "3-4", "2", "stored", "5", "h"]]
    assert len(said(warehouse, "ledger", "--closed", "--gateway", "other")) == 2
    assert CliRunner().invoke(cli, ["ledger", "--open", "--holes", "--database", warehouse]).exit_code == 2


def test_repeated_and_reused_messages_are_shown(warehouse: str) -> None:
    log = Log()
    one, other = (telemetry(OF, 1, {"p": [(T0, value)]}) for value in (1, 2))
    with sink(warehouse) as store:
        write(store, log.birth(OF), log.message(one))
        write(store, log.message(one))
        write(store, log.message(other))
    assert cells(said(warehouse, "ledger"))[2][8:] == ["2", "1"]


def test_completeness_is_shown_by_gateway_and_by_series(warehouse: str, connection: Connection) -> None:
    plant = Plant(connection)
    plant.say(START, {"a": 900_000, "b": 900_000})
    for n in range(2):
        plant.read(Reading("a", START + timedelta(minutes=15 * n), 0, 1.0, START))
    count(connection, START + timedelta(days=3))
    days = cells(list(gateways_table(connection, GATEWAY, date(2026, 9, 21), date(2026, 9, 30))))
    assert days[0][:4] == ["gateway", "day", "complete", "expected"]
    assert [line[1] for line in days[2:]] == ["2026-09-21", "2026-09-22", "2026-09-23"]
    assert days[2][2:6] == ["0.00", "%", "192", "0"]
    assert cells(said(warehouse, "completeness", "--day", "2026-09-21"))[2:] == [days[2]]
    # Six hours of the 20th were left when the birth came: 24 quarter-hours of each.
    first = cells(said(warehouse, "completeness", "--day", "2026-09-20"))[2]
    assert first[2:6] == ["4.16", "%", "48", "2"]
    series = cells(said(warehouse, "completeness", "--gateway", GATEWAY, "--day", "2026-09-20"))
    assert [line[:6] for line in series[2:]] == [
        ["d.p", "2026-09-20", "8.33", "%", "24", "2"],
        ["d.p", "2026-09-20", "0.00", "%", "24", "0"],
    ]
    assert cells(said(warehouse, "completeness", "--gateway", GATEWAY))[0] == days[0]
    assert cells(said(warehouse, "completeness"))[0] == days[0]


def test_days_before_the_first_birth_are_unknown_and_not_incomplete(warehouse: str, connection: Connection) -> None:
    plant = Plant(connection)
    at = datetime(2026, 9, 22, tzinfo=UTC)
    plant.read(Reading("a", at, 0, 1.0, at))
    count(connection, at)
    line = cells(said(warehouse, "completeness", "--day", "2026-09-22"))[2]
    assert line[:6] == [GATEWAY, "2026-09-22", "?", "?", "1", "1"]


def test_headings_stand_above_their_columns(warehouse: str, connection: Connection) -> None:
    plant = Plant(connection)
    at = datetime(2026, 9, 22, tzinfo=UTC)
    plant.read(Reading("a", at, 0, 1.0, at))
    count(connection, at)
    english, chinese, row = said(warehouse, "completeness", "--day", "2026-09-22")
    place = english.index("expected")
    wide = "".join(one * (2 if unicodedata.east_asian_width(one) in "WF" else 1) for one in chinese)
    assert (wide[place : place + 4], row[place]) == ("应应收收", "?")
