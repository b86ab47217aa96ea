"""The journal knows what was answered and what was followed, over crashes of either side."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.meters.journal import JournalFull, JournalWriter, read_journal
from deploy.local.meters.modbus import Read
from deploy.local.meters.settings import Quantity
from edge_agent.contract.errors import Misconfigured

BLOCK = Read(3, 0, 7)
OTHER = Read(4, 0, 7)


def values(number: int) -> dict[Quantity, int | float]:
    return {Quantity.ACTIVE_ENERGY: number, Quantity.ACTIVE_POWER: 0.1}


def test_followed_means_the_same_connection_and_block(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    with JournalWriter(path, "m1", life=1, max_bytes=10_000) as journal:
        journal.answered(10, 1, BLOCK, values(1))
        journal.answered(11, 1, OTHER, values(2))
        journal.answered(12, 2, BLOCK, values(3))
        journal.answered(13, 1, BLOCK, values(4))
        journal.asked(14, 2, BLOCK)
    found = read_journal(path)
    assert found.torn == 0
    assert [(a.at_ms, a.values["active_energy_import"], a.followed) for a in found.answers] == [
        (10, 1, True),
        (11, 2, False),
        (12, 3, True),
        (13, 4, False),
    ]
    assert found.answers[0].values == {"active_energy_import": 1, "active_power": 0.1}


def test_a_connection_of_another_life_follows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    for life in (1, 2):
        with JournalWriter(path, "m1", life, max_bytes=10_000) as journal:
            journal.answered(life, 1, BLOCK, values(life))
    assert [answer.followed for answer in read_journal(path).answers] == [False, False]


def test_a_torn_line_is_set_apart(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    with JournalWriter(path, "m1", life=1, max_bytes=10_000) as journal:
        journal.answered(1, 1, BLOCK, values(1))
        journal.answered(2, 1, BLOCK, values(2))
    path.write_bytes(path.read_bytes()[:-7])
    with JournalWriter(path, "m1", life=2, max_bytes=10_000) as journal:
        journal.answered(3, 1, BLOCK, values(3))
    found = read_journal(path)
    assert found.torn == 1
    assert [answer.at_ms for answer in found.answers] == [1, 3]


def test_a_full_journal_refuses(tmp_path: Path) -> None:
    path = tmp_path / "m1.jsonl"
    with JournalWriter(path, "m1", life=1, max_bytes=150) as journal:
        journal.answered(1, 1, BLOCK, values(1))
        with pytest.raises(JournalFull):
            journal.answered(2, 1, BLOCK, values(2))
    assert path.stat().st_size <= 150
    assert len(read_journal(path).answers) == 1


def test_a_journal_without_a_folder_is_told(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "absent" / "m1.jsonl", "m1", life=1, max_bytes=100)
    with pytest.raises(Misconfigured, match="cannot be opened"), writer:
        pass
