"""The tables for people."""

from __future__ import annotations

from click.testing import CliRunner

from tests.warehouse.sink.feed import EPOCH, T0, Log, birth, sink, telemetry, write
from warehouse.cli import cli


def said(*arguments: str) -> list[list[str]]:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.output.splitlines()]


def test_the_ledger_and_the_refusals_are_listed(warehouse: str) -> None:
    log, of, other = Log(), birth(), birth("gw-2")
    with sink(warehouse) as store:
        write(
            store,
            log.birth(of),
            log.birth(other),
            log.message(telemetry(of, 1, {"e": [(T0, 5_000)]})),
            log.message(telemetry(of, 4, {}, dropped=[(2, 2, "corrupt", 1)])),
            log.message(telemetry(other, 1, {}), "gw-2"),
            log.message(b"{"),
            log.state(held={"epoch": EPOCH, "first": 3, "last": 4}),
        )
    heads = ["gateway", "epoch", "stored", "rejected", "dropped", "held", "open", "lost", "repeated", "reused"]
    first, second = (
        ["gw", str(EPOCH), "2", "0", "1", "3-4", "1", "0", "0", "0"],
        ["gw-2", str(EPOCH), "1", "0", "0", "?", "0", "0", "0", "0"],
    )
    ledger = said("ledger", "--database", warehouse)
    assert (ledger[0], ledger[2:]) == (heads, [first, second])
    assert said("ledger", "--database", warehouse, "--open") == [*ledger[:2], first]
    assert said("ledger", "--database", warehouse, "--gateway", "gw-2") == [*ledger[:2], second]
    refused = said("refused", "list", "--database", warehouse)
    assert refused[0] == ["id", "at", "gateway", "reason", "what", "where", "settled", "detail"]
    assert sorted(line[2:5] for line in refused[1:]) == [
        ["gw", "not_json", "message"],
        ["gw", "register_range", "reading"],
    ]
    assert len(said("refused", "list", "--database", warehouse, "--limit", "1")) == 2
    assert said("refused", "list", "--database", warehouse, "--gateway", "gw-2") == refused[:1]
