"""Hours to bytes: what is forecast from a configuration is what the buffer then takes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge_agent.contract.birth import Birth, Kind, SeriesSpec
from edge_agent.forecast import bytes_per_hour, verdict
from edge_agent.outbox.batches import Bounds
from edge_agent.outbox.intake import DISK_MARGIN_BYTES, Compression
from edge_agent.outbox.outbox import Outbox
from edge_agent.settings import Publish
from edge_agent.sources import Poll, Reading
from edge_agent.standing import room
from tests.edge_agent.cli.test_cli import configuration, invoke
from tests.edge_agent.outbox.models import NOW_MS

MIB = 1 << 20


def plant(devices: int, interval_ms: int) -> dict[str, SeriesSpec]:
    """Meters of one register and four gauges each."""
    series: dict[str, SeriesSpec] = {}
    for number in range(devices):
        device = f"press-{number}"
        series[f"{device}.energy_import"] = SeriesSpec(
            device=device,
            quantity="energy_import",
            unit="kWh",
            kind=Kind.REGISTER,
            interval_ms=interval_ms,
            decimals=2,
            range=10**8,
        )
        for quantity in ("power", "voltage", "current", "power_factor"):
            series[f"{device}.{quantity}"] = SeriesSpec(
                device=device, quantity=quantity, unit="", kind=Kind.GAUGE, interval_ms=interval_ms
            )
    return series


def taken_per_hour(path: Path, series: dict[str, SeriesSpec], publish: Publish, minutes: float) -> float:
    """What an hour takes, from some minutes that are written."""
    chance = random.Random(1)  # noqa: S311 - values that look measured, the same at every run
    interval_ms = next(iter(series.values())).interval_ms
    bounds = Bounds(publish.batch_readings, publish.max_message_bytes)
    with Outbox(path, 1 << 30) as outbox, outbox.intake(bounds, publish.compression) as intake:
        intake.adopt(Birth(gateway="gw-1", series=series))
        before = intake._database.used_bytes()
        composed_ms = 0.0
        for now_ms in range(0, round(minutes * 60_000), interval_ms):
            polls: dict[str, list[Reading]] = {}
            for name, spec in series.items():
                is_register = spec.kind is Kind.REGISTER
                value = 34_000_000 + now_ms // 500 if is_register else round(chance.gauss(120, 30), 3)
                t_ms = NOW_MS + now_ms + chance.randrange(200)
                polls.setdefault(spec.device, []).append(Reading(name, t_ms, value))
            intake.record([Poll(device, tuple(readings)) for device, readings in polls.items()])
            if now_ms + interval_ms - composed_ms >= publish.batch_s * 1000:
                intake.compose(NOW_MS + now_ms)
                composed_ms = now_ms + interval_ms
        return (intake._database.used_bytes() - before) * 60 / minutes


@pytest.mark.parametrize(
    ("devices", "interval_ms", "compression", "minutes"),
    [
        (100, 10_000, Compression.NONE, 10),
        (100, 10_000, Compression.GZIP, 10),
        (20, 1_000, Compression.NONE, 3),
        (4, 10_000, Compression.NONE, 20),
        (4, 10_000, Compression.GZIP, 20),
    ],
)
def test_a_forecast_is_right_within_a_third(
    tmp_path: Path, devices: int, interval_ms: int, compression: Compression, minutes: float
) -> None:
    series = plant(devices, interval_ms)
    publish = Publish(compression=compression)
    taken = taken_per_hour(tmp_path / "o.db", series, publish, minutes)
    assert bytes_per_hour(publish, series) == pytest.approx(taken, rel=0.35)


def test_hours_are_weighed_against_the_cap_and_against_the_disk() -> None:
    wide = verdict(10 * MIB, 72, 2048 * MIB, 100_000 * MIB)
    assert wide.fits
    assert 720 * MIB < wide.wanted_bytes < 900 * MIB
    assert wide.hours == pytest.approx(2048 * 0.95 / 10, rel=0.01)
    assert "enough (足够)" in room(wide, 72)

    capped = verdict(100 * MIB, 72, 2048 * MIB, 100_000 * MIB)
    assert (capped.fits_cap, capped.fits_disk) == (False, True)
    assert capped.hours == pytest.approx(19.5, rel=0.01)
    told = room(capped, 72)
    assert f"raise outbox.max_bytes to {capped.wanted_bytes} (请提高 max_bytes)" in told
    assert "lasts 19.5 h" in told
    assert "disk" not in told
    assert verdict(100 * MIB, 72, capped.wanted_bytes * 106 // 100, 100_000 * MIB).fits, "the advice is enough"

    full = verdict(10 * MIB, 72, 2048 * MIB, 300 * MIB)
    assert (full.fits_cap, full.fits_disk) == (True, False)
    assert full.hours == pytest.approx((300 * MIB - DISK_MARGIN_BYTES - 102.4 * MIB) / (10 * MIB), rel=0.01)
    assert "make room on the disk (磁盘空间不足)" in room(full, 72)


def test_check_tells_before_anything_ran(tmp_path: Path) -> None:
    small = configuration(tmp_path).read_text("utf-8").replace('outbox.db"', 'outbox.db"\nmax_bytes = 8388608')
    config = tmp_path / "agent.toml"
    config.write_text(small.replace("[[replay.series]]", "[[replay.series]]\ninterval_ms = 100"), "utf-8")
    result = invoke("check", "--config", str(config))
    assert result.exit_code == 0, "a wish that does not fit is a warning"
    assert "buffer 缓冲: " in result.stdout
    assert "72 h need" in result.stdout
    assert "8 MiB allowed" in result.stdout
    assert "TOO LITTLE (不足)" in result.stdout
    assert not (tmp_path / "outbox.db").exists()
