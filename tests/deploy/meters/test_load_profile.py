"""Load profiles hold the meters' quarter-hours, exactly as the meters showed them."""

from __future__ import annotations

from pathlib import Path

from deploy.local.meters.curve import SLOT_MS
from deploy.local.meters.load_profile import quarter_hours, read_load_profile, write_load_profile
from deploy.local.meters.settings import Quantity
from tests.deploy.meters.plant import ORIGIN_MS, display


def test_what_is_written_is_what_the_meter_showed(tmp_path: Path) -> None:
    shown = display(scale=(7, 3))
    start_ms = ORIGIN_MS - ORIGIN_MS % SLOT_MS
    path = tmp_path / "m1.csv.gz"
    count = write_load_profile(shown, start_ms, start_ms + 96 * SLOT_MS, path)
    entries = list(read_load_profile(path))
    assert count == len(entries) == 96 * 4
    assert [entry.t_ms for entry in entries[::4]] == [start_ms + slot * SLOT_MS for slot in range(96)]
    for entry in entries:
        meter, quantity = entry.series.split(".")
        assert meter == "m1"
        expected = shown.value(Quantity(quantity), entry.t_ms)
        assert entry.value == expected
        assert type(entry.value) is type(expected)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_load_profile(display(), ORIGIN_MS, ORIGIN_MS + 10 * SLOT_MS, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_interval_is_half_open() -> None:
    assert list(quarter_hours(0, 2 * SLOT_MS)) == [0, SLOT_MS]
    assert list(quarter_hours(1, 2 * SLOT_MS + 1)) == [SLOT_MS, 2 * SLOT_MS]
