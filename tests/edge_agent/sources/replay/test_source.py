"""Files from the first row to the last: in order, once, with nothing lost on the way."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.quality import Quality
from edge_agent.sources import Poll, Reading, Source
from edge_agent.sources.replay.source import ReplaySource
from tests.edge_agent.sources.memory import FakeClock, MemoryRecorder, run_until
from tests.edge_agent.sources.replay.journal import SPECS, Journal, entries, replay

T0_MS = 1_714_492_800_000
ENERGY: dict[str, object] = {
    "series": "own.energy",
    "device": "own",
    "quantity": "energy",
    "unit": "kWh",
    "kind": "register",
    "decimals": 2,
    "range": 100_000_000,
}


def rows(count: int, bad: Callable[[int], bool] = lambda _: False) -> list[str]:
    return [f"{T0_MS + 900_000 * at},m.energy,{'bad' if bad(at) else f'{at}.25'}" for at in range(count)]


def write(path: Path, lines: list[str], header: str = "t,series,value") -> Path:
    text = "\n".join([header, *lines]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def rejected(path: Path) -> list[dict[str, str]]:
    with path.with_name(f"{path.name}.rejected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def run(source: ReplaySource, recorder: MemoryRecorder) -> None:
    asyncio.run(asyncio.wait_for(source.run(recorder), 20))


def values(recorder: MemoryRecorder) -> list[int | float | None]:
    return [reading.value for reading in recorder.readings]


@pytest.mark.parametrize("name", ["load.csv", "load.csv.gz"])
def test_every_row_is_recorded_in_order_with_its_bookmark(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, rows(25))
    recorder = MemoryRecorder()
    source = ReplaySource(replay(path, batch_rows=10), SPECS)
    run(source, recorder)
    assert [len(poll.readings) for poll in recorder.polls] == [10, 10, 5]
    assert values(recorder) == [100 * at + 25 for at in range(25)]
    assert all(poll.bookmark is not None and poll.device == "history" for poll in recorder.polls)
    assert set(recorder.told) == {("history", None)}
    # A second run, as after a restart, has nothing left to do.
    run(source, recorder)
    assert len(recorder.polls) == 3
    assert not (tmp_path / f"{name}.rejected.csv").exists()


def test_it_is_a_source_and_declares_its_own_series_only(tmp_path: Path) -> None:
    source: Source = ReplaySource(replay(tmp_path / "x.csv", series=[ENERGY]), SPECS)
    assert list(source.series()) == ["own.energy"]
    assert source.series()["own.energy"].decimals == 2


def test_a_series_declared_twice_is_refused(tmp_path: Path) -> None:
    settings = replay(tmp_path / "x.csv", series=[ENERGY | {"series": "m.energy"}])
    with pytest.raises(Misconfigured, match=r"replay history: series 'm\.energy' is declared by another source"):
        ReplaySource(settings, SPECS)


def test_bad_rows_are_kept_and_stop_nothing(tmp_path: Path) -> None:
    lines = [*rows(30, bad=lambda at: at % 3 == 0), "", '"a stray quote', "\x00", "z" * 9000]
    path = write(tmp_path / "load.csv", lines)
    recorder = MemoryRecorder()
    run(ReplaySource(replay(path, batch_rows=4), SPECS), recorder)
    assert values(recorder) == [100 * at + 25 for at in range(30) if at % 3]
    kept = rejected(path)
    assert [int(row["line"]) for row in kept] == [*(at + 2 for at in range(0, 30, 3)), 33, 34, 35]
    assert kept[0] == {
        "line": "2",
        "reason": "number",
        "detail": "found 'bad'; allowed: a decimal number",
        "row": f"{T0_MS},m.energy,bad",
    }
    assert kept[-1]["reason"] == "too_long"
    assert len(kept[-1]["row"]) == 4097


def test_bytes_that_are_not_utf8_fail_alone_and_are_kept_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    good = f"{T0_MS},m.energy,1\r\n".encode()
    odd = f"{T0_MS},".encode() + "电".encode("gbk") + b",1\r\n"
    path.write_bytes(b"\xef\xbb\xbft,series,value\r\n" + odd + good)
    recorder = MemoryRecorder()
    run(ReplaySource(replay(path), SPECS), recorder)
    assert values(recorder) == [100]
    assert "电".encode("gbk") in (tmp_path / "load.csv.rejected.csv").read_bytes()


def test_rejected_rows_go_where_the_settings_say(tmp_path: Path) -> None:
    folder = tmp_path / "rejected"
    folder.mkdir()
    path = write(tmp_path / "load.csv", ["x,y,z"])
    run(ReplaySource(replay(path, rejected_folder=str(folder)), SPECS), MemoryRecorder())
    assert (folder / "load.csv.rejected.csv").exists()
    assert not (tmp_path / "load.csv.rejected.csv").exists()


def test_a_last_line_without_end_counts_and_so_does_a_batch_that_fits_exactly(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("\n".join(["t,series,value", *rows(20)]))
    recorder = MemoryRecorder()
    run(ReplaySource(replay(path, batch_rows=10), SPECS), recorder)
    assert len(recorder.readings) == 20
    assert recorder.polls[-1].readings == ()
    assert '"done":true' in recorder.bookmarks["replay/history/load.csv"]


def test_several_files_are_read_in_turn_and_a_broken_one_is_left(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", rows(3))
    wrong = write(tmp_path / "b.csv", rows(3), header="time;name;value")
    digests = [hashlib.sha256(str(at).encode()).hexdigest() for at in range(9000)]
    cut = write(
        tmp_path / "c.csv.gz", [f"{T0_MS + at},m.power,0.{int(hex_, 16)}"[:60] for at, hex_ in enumerate(digests)]
    )
    cut.write_bytes(cut.read_bytes()[:-1000])
    whole = zlib.decompressobj(31).decompress(cut.read_bytes()).count(b"\n") - 1
    last = write(tmp_path / "d.csv", rows(2))
    recorder = MemoryRecorder()
    run(ReplaySource(replay(first, wrong, cut, last), SPECS), recorder)
    whys = recorder.downs("history")
    assert whys[0] == "columns: b.csv line 1: found 'time;name;value'; allowed: t,series,value[,quality] (表头有误)"
    assert whys[1].startswith("damaged: c.csv.gz: ")
    assert values(recorder)[-2:] == [25, 125]
    # What the cut file still held was recorded to the last whole row; the half one behind it is no row.
    assert '"done":false' in recorder.bookmarks["replay/history/c.csv.gz"]
    assert len(recorder.of("m.power")) == whole > 8500
    assert not cut.with_name("c.csv.gz.rejected.csv").exists()


def test_a_file_that_is_away_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later.csv"

    async def main() -> None:
        recorder = MemoryRecorder()

        def happened() -> bool:
            if recorder.downs("history") and not path.exists():
                write(path, rows(2))
            return bool(recorder.polls)

        await run_until(ReplaySource(replay(path), SPECS, clock=FakeClock()), recorder, happened)
        assert recorder.downs("history")[0] == "later.csv: No such file or directory (无法读取文件)"
        assert recorder.told[-1] == ("history", None)
        assert len(recorder.readings) == 2

    asyncio.run(main())


def test_without_a_place_for_rejected_rows_nothing_goes_on(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", [*rows(3), "x,y,z", *rows(3)])
    folder = tmp_path / "rejected"

    async def main() -> None:
        recorder = MemoryRecorder()

        def happened() -> bool:
            if recorder.downs("history"):
                folder.mkdir(exist_ok=True)
            return bool(recorder.polls)

        source = ReplaySource(replay(path, rejected_folder=str(folder)), SPECS, clock=FakeClock())
        await run_until(source, recorder, happened)
        assert "set rejected_folder" in recorder.downs("history")[0]
        assert len(recorder.readings) == 6

    asyncio.run(main())


def test_a_changed_file_is_another_file(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", [*rows(3), "bad"])
    recorder = MemoryRecorder()
    run(ReplaySource(replay(path), SPECS), recorder)
    write(path, rows(5))
    run(ReplaySource(replay(path), SPECS), recorder)
    assert values(recorder) == [25, 125, 225, 25, 125, 225, 325, 425]
    assert not (tmp_path / "load.csv.rejected.csv").exists()


def test_a_bookmark_that_makes_no_sense_counts_as_none(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", rows(3))
    for nonsense in ("", "[]", '{"name":"load.csv"}', "null", "not json"):
        recorder = MemoryRecorder()
        recorder.bookmarks["replay/history/load.csv"] = nonsense
        run(ReplaySource(replay(path), SPECS), recorder)
        assert len(recorder.readings) == 3


def test_an_error_of_the_recorder_comes_out_as_itself(tmp_path: Path) -> None:
    class FullRecorder(MemoryRecorder):
        async def record(self, poll: Poll) -> None:
            raise OSError(28, "No space left on device")

    path = write(tmp_path / "load.csv", rows(3))
    with pytest.raises(OSError, match="No space left"):
        run(ReplaySource(replay(path), SPECS), FullRecorder())


def test_kill_9_at_any_moment_loses_no_row_and_doubles_none(tmp_path: Path) -> None:
    """The process is killed again and again, with every kind of row around the cut."""

    def bad(at: int) -> bool:
        return at % 5 in (0, 1)

    path = write(tmp_path / "load.csv", rows(200, bad))
    journal = tmp_path / "journal"
    deaths = 0
    polls = iter([1, 2, 3, 1, 4, 5, 1, 6, 1, 2])
    while True:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.edge_agent.sources.replay.journal", journal, path, str(next(polls, 999))],
            check=False,
            timeout=30,
        )
        if ended.returncode == 0:
            break
        assert ended.returncode == -9
        deaths += 1
        # What a crash between the rejected file and the bookmark leaves: rows of the next batch, and half a row.
        kept = path.with_name("load.csv.rejected.csv")
        line = int(rejected(path)[-1]["line"]) if deaths > 1 else 900
        with kept.open("a") as file:
            file.write(f"{line + 60},number,torn before the bookmark,x\n{line + 61},num")
    assert deaths == 10
    recorded = [row for _, _, batch in entries(journal) for row in batch]
    assert recorded == [["m.energy", T0_MS + 900_000 * at, 100 * at + 25, 0] for at in range(200) if not bad(at)]
    assert [int(row["line"]) for row in rejected(path)] == [at + 2 for at in range(200) if bad(at)]


def test_stopping_between_batches_and_going_on_is_seamless(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", rows(1000))
    recorder = MemoryRecorder()

    async def main() -> None:
        for polls in range(10, 100, 10):
            source = ReplaySource(replay(path, batch_rows=10), SPECS)
            await run_until(source, recorder, lambda polls=polls: len(recorder.polls) >= polls)  # type: ignore[misc]
        await ReplaySource(replay(path, batch_rows=10), SPECS).run(recorder)

    asyncio.run(main())
    assert values(recorder) == [100 * at + 25 for at in range(1000)]


def test_a_rate_is_kept_and_not_caught_up(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", rows(100))
    clock = FakeClock()
    seen_s: list[float] = []

    class Slow(MemoryRecorder):
        async def record(self, poll: Poll) -> None:
            seen_s.append(clock.now_s - 1000)
            await super().record(poll)
            if len(seen_s) == 3:
                clock.now_s += 50  # a stall

    run(ReplaySource(replay(path, rows_per_s=20), SPECS, clock=clock), Slow())
    assert [round(at, 3) for at in seen_s[:5]] == [0, 1.05, 2.05, 52.05, 53.05]  # the header is a line as well


def test_quality_and_missing_values_come_through(tmp_path: Path) -> None:
    path = write(
        tmp_path / "load.csv", [f"100,{T0_MS},,m.energy", f",{T0_MS},7,m.run"], header="quality,t,value,series"
    )
    recorder = MemoryRecorder()
    run(ReplaySource(replay(path), SPECS), recorder)
    assert recorder.readings == [Reading("m.energy", T0_MS, None, Quality.BAD), Reading("m.run", T0_MS, 7)]


@pytest.mark.parametrize("name", ["endless.csv", "endless.csv.gz"])
def test_memory_is_bounded_even_without_a_line_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as file:
        file.write(b"t,series,value\n")
        for _ in range(40):
            file.write(b"7" * (1 << 20))
        file.write(f"\n{rows(1)[0]}\n".encode())
    recorder = MemoryRecorder()
    tracemalloc.start()
    run(ReplaySource(replay(path), SPECS), recorder)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(recorder.readings) == 1
    assert peak_bytes < 4 << 20
    assert rejected(path)[0]["reason"] == "too_long"


def test_the_journal_used_here_is_a_recorder(tmp_path: Path) -> None:
    path = write(tmp_path / "load.csv", rows(3))
    journal = Journal(tmp_path / "journal", dies_at=0)
    asyncio.run(ReplaySource(replay(path), SPECS).run(journal))
    assert len(entries(journal.path)) == 1
