"""`make demo`, as a newcomer types it, and with every process killed in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.demo import playing

KILLED = ("mosquitto", "kafka", "postgres", "bridge", "sink", "agent-gw-dongjing-01")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_stores_what_the_meters_answered_and_computes_what_was_planted(tmp_path: Path) -> None:
    with playing(tmp_path, seconds=10) as demo:
        code, output, report = demo.finish()
    assert code == 0, output
    assert report.readings.acquired >= 100_000
    assert report.readings.stored == report.readings.acquired == report.readings.confirmed
    assert report.readings.backfilled < report.readings.stored
    assert report.readings.lost == report.readings.duplicate == report.readings.dead_letters == 0
    assert report.readings.mismatched == report.readings.unexpected == 0
    assert set(report.servers) == {"mosquitto", "kafka", "postgres"}
    assert report.servers["kafka"].startswith("4.")
    assert report.latency_ms.p50 is not None
    assert report.latency_ms.p99 is not None
    assert 0 < report.latency_ms.p50 <= report.latency_ms.p99
    assert len(report.energy) >= 4
    assert all(energy.agrees for energy in report.energy)
    found = {indicator.id: indicator for indicator in report.indicators}
    assert set(found) == {"smes_on_platform", "digital_transformation_ratio", "panel_energy_intensity"}
    # Planted: 10 012 SMEs on platforms; 1280 of the 1668 above-scale enterprises with a qualifying result.
    assert found["smes_on_platform"].value == "10012"
    ratio = found["digital_transformation_ratio"]
    assert (ratio.numerator, ratio.denominator, ratio.shown) == ("1280", "1668", "76.7")
    # tce of the boundary meters / value added: from the load curve by hand, to the last digit.
    panel = found["panel_energy_intensity"]
    assert panel.agrees
    assert panel.coverage == "1"
    assert all(indicator.rule and indicator.status for indicator in report.indicators)
    assert report.well
    assert "nothing lost" in output


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kill_9_of_every_process_in_mid_demo_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    with playing(tmp_path, seconds=45) as demo:
        demo.await_running(KILLED[-1])
        for name in KILLED:
            demo.kill(name)
        code, output, report = demo.finish()
    assert code == 0, output
    assert set(report.restarts) >= set(KILLED)
    assert report.readings.stored == report.readings.acquired
    assert report.readings.lost == report.readings.duplicate == 0
    assert report.readings.mismatched == report.readings.unexpected == report.readings.dead_letters == 0
