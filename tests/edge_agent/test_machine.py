"""What tells one machine from another, read from folders laid out as the kernel does."""

from __future__ import annotations

from pathlib import Path

from edge_agent.machine import differs, marks


def board(root: Path, serial: str = "", address: str = "", system: str = "0123456789abcdef0123456789abcdef") -> Path:
    (root / "etc").mkdir(parents=True)
    (root / "etc/machine-id").write_text(f"{system}\n")
    if serial:
        (root / "proc/device-tree").mkdir(parents=True)
        (root / "proc/device-tree/serial-number").write_bytes(serial.encode() + b"\0")
    if address:
        card = root / "sys/class/net/eth0"
        (card / "device").mkdir(parents=True)
        (card / "address").write_text(f"{address}\n")
        (card / "addr_assign_type").write_text("0\n")
    bridge = root / "sys/class/net/docker0"
    bridge.mkdir(parents=True)
    (bridge / "address").write_text("02:42:00:00:00:01\n")
    (bridge / "addr_assign_type").write_text("3\n")
    return root


def test_a_card_in_another_board_is_another_machine(tmp_path: Path) -> None:
    here = marks(board(tmp_path / "a", "10000000aabbccdd", "e4:5f:01:00:00:01"))
    there = marks(board(tmp_path / "b", "10000000aabbccee", "e4:5f:01:00:00:02"))
    assert len(here) == 3
    assert here & there, "the card brought the system's id along"
    assert differs(here, there)
    assert not differs(here, here)


def test_what_has_no_mark_of_its_own_differs_from_nothing(tmp_path: Path) -> None:
    nothing = marks(tmp_path / "empty")
    unset = marks(board(tmp_path / "a", "0000000000000000", "00:00:00:00:00:00", system=""))
    assert nothing == unset == frozenset()
    assert not differs(nothing, marks(board(tmp_path / "b", "10000000aabbccdd")))


def test_nothing_is_told_in_clear(tmp_path: Path) -> None:
    found = marks(board(tmp_path / "a", "10000000aabbccdd", "e4:5f:01:00:00:01"))
    assert not any("aabb" in mark or mark == "5f" for mark in found)


def test_this_machine_is_itself() -> None:
    assert marks() == marks()
