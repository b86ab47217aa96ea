"""What `g60 warehouse refused` says to an operator."""

from __future__ import annotations

import gzip

import pytest
from click.testing import CliRunner, Result

from edge_agent.contract.errors import Misconfigured
from stream.topics import TELEMETRY
from tests.warehouse.sink.feed import EPOCH, PARTITIONS, SOURCE, T0, Log, birth, sink, telemetry, write
from warehouse.cli import cli
from warehouse.postgres import Connection
from warehouse.refused.show import Name, name_of

OF = birth()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["refused", *arguments])


def said(*arguments: str) -> list[str]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.fixture
def poisoned(warehouse: str) -> str:
    """A warehouse with refusals: m1 to m4 and r1."""
    log = Log()
    packed = gzip.compress(b'{"v":1,"t":"\\u6e29\\u5ea6"}')
    with sink(warehouse) as store:
        write(
            store,
            log.birth(OF),
            log.message(b"\xff\x00\x01", headers={"odd": b"\xfe", "esc": b"\x1b[2J"}),
            log.message(telemetry(OF, 1, {}).replace(b'"v": 1', b'"v": 9')),
            log.message(packed, headers={"content-encoding": b"gzip"}),
            log.message(b'{"a":1,"a":2}', "gw-2"),
            log.message(telemetry(OF, 2, {"e": [(T0, 5_000)]})),
        )
    return warehouse


def test_the_list_is_narrowed(poisoned: str) -> None:
    def ids(*arguments: str) -> set[str]:
        return {line.split()[0] for line in said("list", "--database", poisoned, *arguments)[1:]}

    assert ids() == {"m1", "m2", "m3", "m4", "r1"}
    assert ids("--messages") == {"m1", "m2", "m3", "m4"}
    assert ids("--readings") == {"r1"}
    assert ids("--gateway", "gw-2") == {"m4"}
    assert ids("--reason", "version") == {"m2"}
    assert ids("--since", "PT1H") == ids()
    assert ids("--since", "2999-01-01T00:00:00Z") == set()
    assert run("list", "--database", poisoned, "--since", "yesterday").exit_code == 2
    assert run("list", "--database", poisoned, "--since", "P999999D").exit_code == 2


def test_counting(poisoned: str, connection: Connection) -> None:
    counted = said("count", "--database", poisoned)
    assert counted[0].split() == ["what", "reason", "gateway", "waiting", "settled", "first", "last"]
    assert sorted(line.split()[:5] for line in counted[1:]) == [
        ["message", "not_json", "gw", "1", "0"],
        ["message", "schema", "gw", "1", "0"],
        ["message", "schema", "gw-2", "1", "0"],
        ["message", "version", "gw", "1", "0"],
        ["reading", "register_range", "gw", "1", "0"],
    ]
    connection.execute("update ingest.dead_letter set replayed_at = now(), replayed_batch = 1 where reason = 'version'")
    assert len(said("count", "--database", poisoned)) == len(counted) - 1
    assert ["message", "version", "gw", "0", "1"] in [
        line.split()[:5] for line in said("count", "--database", poisoned, "--all")
    ]
    assert "replay" in said("list", "--database", poisoned, "--all", "--reason", "version")[1]


def test_one_is_shown_whole(poisoned: str) -> None:
    shown = said("show", "m1", "--database", poisoned)
    assert "reason    not_json" in shown
    assert "header    odd = fe (hex)" in shown
    # What would disturb the terminal is spelt out.
    assert "header    esc = \\x1b[2J" in shown
    assert shown[-2:] == ["payload (hex)", "ff 00 01"]
    version = said("show", "g60.telemetry.v1-0@1", "--database", poisoned)
    assert version[0] == "id        m2"
    assert f"message   {EPOCH}/1" in version
    assert '  "v": 9,' in version
    unpacked = said("show", "m3", "--database", poisoned)
    assert '  "t": "温度"' in unpacked
    # JSON with a repeated key is shown as it came, because spreading it would hide one.
    assert said("show", "m4", "--database", poisoned)[-1] == '{"a":1,"a":2}'
    reading = said("show", "r1", "--database", poisoned)
    assert any(line.startswith("series    e (") for line in reading)
    assert {"value     5000", "reason    register_range"} <= set(reading)


def test_the_bytes_are_given_as_they_came(poisoned: str) -> None:
    result = run("show", "m1", "--raw", "--database", poisoned)
    assert result.stdout_bytes == b"\xff\x00\x01"
    for none in ("r1", "m99", "nonsense"):
        assert run("show", none, "--raw", "--database", poisoned).exit_code == 1
    assert run("show", "r99", "--database", poisoned).exit_code == 1


def test_an_offset_that_names_two_messages(warehouse: str) -> None:
    with sink(warehouse) as store:
        write(store, Log().message(b"one"))
        store.assigned(PARTITIONS, SOURCE)
        write(store, Log().message(b"other"))
    name = f"{TELEMETRY.name}-0@0"
    shown = said("show", name, "--database", warehouse)
    assert [line for line in shown if line.startswith("id")] == ["id        m1", "id        m2"]
    raw = run("show", name, "--raw", "--database", warehouse)
    assert raw.exit_code == 1
    assert "m1, m2" in raw.output


def test_replaying_says_what_it_did(poisoned: str) -> None:
    assert said("replay", "--database", poisoned, "--dry-run") == [
        "would be stored (入库): 0",
        "still refused (仍拒收): 4 (not_json 1, schema 2, version 1)",
    ]
    assert said("replay", "m1", "--database", poisoned)[1] == "still refused (仍拒收): 1 (not_json 1)"
    assert said("replay", "r1", "--database", poisoned)[1] == "still refused (仍拒收): 1 (register_range 1)"
    assert said("replay", "--readings", "--database", poisoned)[1].endswith("(register_range 1)")
    assert run("replay", "g60.telemetry.v1-0@1", "--database", poisoned).exit_code == 2
    assert any(line.startswith("tried ") for line in said("show", "m1", "--database", poisoned))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("m12", Name(letter_id=12)),
        ("r7", Name(rejected_id=7)),
        ("a-b-3@4", Name(topic="a-b", partition=3, offset=4)),
    ],
)
def test_names(text: str, name: Name) -> None:
    assert name_of(text) == name


@pytest.mark.parametrize("text", ["", "m", "12", "m-1", "t@4", "m" + "9" * 19])
def test_names_of_nothing(text: str) -> None:
    with pytest.raises(Misconfigured, match="names no refusal"):
        name_of(text)
