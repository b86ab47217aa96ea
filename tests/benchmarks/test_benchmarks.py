"""The benchmarks run, in sizes that say nothing about speed, and the report has its keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks import packets
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.report import GOALS, SHOWN, Goal, find, table

KEYS = (
    "sink_20.rows_per_s",
    "sink_20.copy_rows_per_s",
    "sink_20.ratio",
    "bridge.messages_per_s",
    "end_to_end_20.readings_per_s",
    "end_to_end_20.generator_cpu",
    "end_to_end_20.p50_ms",
    "end_to_end_20.p99_ms",
    "district.connected",
    "district.readings_per_s",
    "district.p99_ms",
    "district.sink_lag_messages",
    "growth.series.1",
    "growth.gateways.1",
    "growth.table_rows.1",
    "catch_up.times_arriving",
    "accounts.meter_year.p95_ms",
    "registers.csv_s",
    "registers.xlsx_again_s",
    "storage.gauge.ratio",
    "storage.register.ratio",
    "indicators.month_s",
    "machine.cores",
)


PLAYED = [name for name in BENCHMARKS if name not in ("sink", "end_to_end")]
"""Those two are their twins of 20 readings a message with another number."""


@pytest.mark.slow
@pytest.mark.timeout(900)  # it starts some twenty processes, on a machine that may be busy
def test_benchmarks_run_and_the_report_has_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("G60_DATABASE", raising=False)
    path = tmp_path / "report.json"
    done = CliRunner().invoke(main, [*PLAYED, "--tiny", "--report", str(path)], catch_exceptions=False)
    assert done.exit_code == 0
    report = json.loads(path.read_text("utf-8"))
    assert set(report) == {"machine", *PLAYED}
    assert [key for key in KEYS if find(report, key) is None] == []
    assert find(report, "district.connected") == report["district"]["gateways"]
    assert "p99_ms" in report["district"]["reconnect"]
    shown = done.stdout
    assert all(goal.key in shown for goal in GOALS if find(report, goal.key) is not None)


def test_a_goal_is_reached_at_its_bound_and_not_beyond() -> None:
    assert [Goal("x", at_least=5).reached(value) for value in (4.9, 5)] == [False, True]
    assert [Goal("x", at_most=0).reached(value) for value in (0, 1)] == [True, False]
    assert [Goal("x", below=5).reached(value) for value in (4.9, 5)] == [True, False]


def test_table_shows_what_was_measured_and_nothing_else() -> None:
    lines = table({"sink": {"rows_per_s": 299_999, "ratio": 0.75, "copy_rows_per_s": 400_000}})
    assert [line.split() for line in lines] == [
        ["what", "goal", "measured", "reached"],
        ["sink.rows_per_s", "≥", "300,000", "299,999", "NO"],
        ["sink.ratio", "≥", "0.75", "0.75", "yes"],
        ["sink.copy_rows_per_s", "400,000"],
    ]
    assert not {goal.key for goal in GOALS} & set(SHOWN)


@pytest.mark.parametrize("length", [0, 100, 127, 128, 16_383, 16_384, 2_097_152])
def test_packets_are_taken_whole_however_they_are_cut(length: int) -> None:
    payload = bytes(length)
    stream = packets.publish(b"a/b", 7, payload) + packets.puback(9)
    for cut in (0, 1, 2, 3, len(stream) // 2, len(stream) - 1, len(stream)):
        inbox = bytearray(stream[:cut])
        found = list(packets.take(inbox))
        inbox += stream[cut:]
        found += packets.take(inbox)
        assert not inbox
        told, acknowledged = found
        assert packets.command_of(told) == packets.Command(b"a/b", 7, payload)
        assert (acknowledged.kind, packets.reason_of(acknowledged)) == (packets.Kind.PUBACK, 0)
