"""The plan is rows times bytes, and says so in both languages."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from warehouse.cli import cli
from warehouse.disk.measured import measured
from warehouse.disk.plan import WAL_BYTES, Fleet, plan, told
from warehouse.migrate import Flavour


def test_a_district_by_hand() -> None:
    fleet = Fleet(1_000, 10, 10, 2, 900, 365, 3_650, 3_650)
    plain = {line.name.split()[0]: line for line in plan(fleet, measured(Flavour.PLAIN)).lines}
    assert plain["gauges"].rows_a_day == 86_400_000
    assert plain["gauges"].day_bytes == pytest.approx(86_400_000 * 112.7)
    assert plain["gauges"].kept_bytes == pytest.approx(86_400_000 * 112.7 * 365)
    assert plain["quarter-hours"].rows_a_day == 192_000
    assert plain["days"].kept_bytes == pytest.approx(2_000 * 133.9 * 3_650)
    assert plain["WAL"].kept_bytes == WAL_BYTES
    dense = {line.name.split()[0]: line for line in plan(fleet, measured(Flavour.TIMESCALE)).lines}
    # Eight days wait for their compression.
    assert dense["gauges"].kept_bytes == pytest.approx(86_400_000 * (8 * 116 + 357 * 9.7))
    assert dense["registers"].kept_bytes == pytest.approx(192_000 * (21 * 116 + 3_629 * 6.5))
    assert dense["hours"] == plain["hours"]


@given(
    st.integers(1, 10_000), st.integers(0, 500), st.integers(0, 50), st.floats(1, 3_600), st.sampled_from(list(Flavour))
)
def test_twice_the_gateways_take_twice_as_much(
    gateways: int, gauges: int, registers: int, interval_s: float, flavour: Flavour
) -> None:
    one, two = (
        plan(Fleet(n * gateways, gauges, interval_s, registers, 900, 400, 4_000, 4_000), measured(flavour))
        for n in (1, 2)
    )
    assert two.database_bytes == pytest.approx(2 * one.database_bytes)
    assert two.wal_day_bytes == pytest.approx(2 * one.wal_day_bytes)
    assert one.total_bytes > one.database_bytes + WAL_BYTES


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1_234, "1.23 kB"), (999_600, "1 MB"), (2.5e15, "2.5 PB")]
)
def test_sizes_as_people_say_them(size: float, words: str) -> None:
    assert told(size) == words


def test_the_command_prints_both_flavours_unless_one_is_asked_for() -> None:
    words = ["disk", "--gateways", "1000", "--series", "10", "--registers", "2"]
    both = CliRunner().invoke(cli, words)
    assert both.exit_code == 0, both.output
    assert both.output.splitlines()[0] == "plain:"
    assert "\ntimescale:\n" in both.output
    assert "gauges 瞬时量" in both.output
    one = CliRunner().invoke(cli, [*words, "--flavour", "timescale"])
    assert one.output == both.output[both.output.index("timescale:") :]
