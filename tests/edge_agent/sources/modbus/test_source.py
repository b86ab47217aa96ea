"""The source against real servers, and against wires that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from functools import partial

import pytest

from edge_agent.contract.birth import check_value
from edge_agent.contract.quality import Quality
from edge_agent.sources import Poll, Reading, Source
from edge_agent.sources.modbus.source import ModbusSource
from tests.edge_agent.sources.memory import FakeClock, MemoryRecorder, run_until
from tests.edge_agent.sources.modbus.meters import Close, Reply, Request, bus, connection, gauge, meter, wire

ENERGY: dict[str, object] = {
    "quantity": "energy_import",
    "unit": "kWh",
    "kind": "register",
    "address": 0,
    "dtype": "uint32",
    "decimals": 2,
    "range": 100_000_000,
}


def no_chance() -> float:
    return 0.5


def test_values_of_several_units_are_recorded_as_read() -> None:
    async def main() -> None:
        units = {1: {0: 0x00BC, 1: 0x614E, 10: 2314}, 2: {0: 0, 1: 7, 10: 0x8000}, 200: {5: 3}}
        async with bus(units) as port:
            voltage = gauge("voltage", 10, unit="V", scale=0.1)
            state = {"quantity": "run", "unit": "", "kind": "state", "address": 6, "dtype": "uint16", "series": "x.run"}
            source = ModbusSource(
                connection(
                    port,
                    meter("a", 1, ENERGY, voltage, carrier="electricity", meter="S1"),
                    {"name": "b", "unit_id": 2, "like": "a", "meter": "S2"},
                    meter("plc", 200, state, address_base=1),
                ),
                clock=FakeClock(),
            )
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: len(recorder.polls) == 3)
            t_ms = FakeClock().utc_ms()
            assert recorder.polls == [
                Poll("a", (Reading("a.energy_import", t_ms, 12_345_678), Reading("a.voltage", t_ms, 231.4))),
                Poll("b", (Reading("b.energy_import", t_ms, 7), Reading("b.voltage", t_ms, 3276.8))),
                Poll("plc", (Reading("x.run", t_ms, 3),)),
            ]
            assert recorder.told == [("a", None), ("b", None), ("plc", None)]
            assert source.series()["b.energy_import"].meter == "S2"
            for reading in recorder.readings:
                check_value(source.series()[reading.series], reading.value)

    asyncio.run(main())


def test_it_is_a_source() -> None:
    source: Source = ModbusSource(connection(502, meter("a", 1, gauge("p", 0))))
    assert list(source.series()) == ["a.p"]


def test_each_device_keeps_its_interval_and_its_grid() -> None:
    async def main() -> None:
        async with bus({1: {0: 1}, 2: {0: 2, 1: 3}}) as port:
            clock = FakeClock()
            slow = gauge("slow", 1, interval_ms=4000)
            source = ModbusSource(
                connection(port, meter("a", 1, gauge("p", 0)), meter("b", 2, gauge("p", 0), slow, interval_ms=2500)),
                clock=clock,
            )
            start_ms = clock.utc_ms()
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: clock.now_s >= 1020)
            times = {
                name: [reading.t_ms - start_ms for reading in recorder.readings if reading.series == name]
                for name in source.series()
            }
            assert times["a.p"][:20] == [1000 * at for at in range(20)]
            assert times["b.p"][:8] == [2500 * at for at in range(8)]
            assert times["b.slow"][:5] == [4000 * at for at in range(5)]

    asyncio.run(main())


def test_values_that_are_none_are_marked_not_invented() -> None:
    async def main() -> None:
        async with bus({1: {0: 0x7FC0, 1: 0, 2: 0x05F5, 3: 0xE100, 4: 9}}) as port:
            points = (gauge("nan", 0, dtype="float32"), ENERGY | {"address": 2}, gauge("p", 4))
            source = ModbusSource(connection(port, meter("a", 1, *points)), clock=FakeClock())
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: len(recorder.polls) == 1)
            assert [(reading.value, reading.quality) for reading in recorder.readings] == [
                (None, Quality.BAD),
                (None, Quality.OUT_OF_RANGE),  # 100 000 000 on a display that ends at 99 999 999
                (9, Quality.GOOD),
            ]

    asyncio.run(main())


def test_a_refused_address_takes_nothing_else_down() -> None:
    async def main() -> None:
        async with bus({1: {0: 1, 1: 2, 50: 3}}) as port:
            points = (gauge("p", 0), gauge("q", 1), gauge("missing", 2), gauge("r", 50))
            source = ModbusSource(connection(port, meter("a", 1, *points)), clock=FakeClock())
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: len(recorder.polls) == 3)
            assert {reading.series for reading in recorder.polls[0].readings} == {"a.p", "a.q", "a.r"}
            assert recorder.of("a.missing") == []
            assert recorder.downs("a") == ["holding 2 … 2: illegal data address (地址不存在) [2]"]
            assert ("a", None) not in recorder.told

    asyncio.run(main())


def test_a_dead_unit_delays_the_others_by_one_time_out_at_most() -> None:
    async def main() -> None:
        silent: set[int] = {2, 3}
        asked: list[int] = []

        def behaviour(request: Request) -> Reply:
            if silent:
                asked.append(request.unit_id)
            return None if request.unit_id in silent else request.answer(request.unit_id)

        async with wire(behaviour) as end:
            devices = (meter(f"u{unit}", unit, gauge("p", 0), interval_ms=50) for unit in (1, 2, 3, 4))
            source = ModbusSource(connection(end.port, *devices, backoff_first_s=0.05, backoff_max_s=0.1))
            recorder = MemoryRecorder()

            def mended() -> bool:
                if asked.count(2) >= 4 and asked.count(3) >= 4:
                    silent.clear()
                return len(recorder.of("u2.p")) >= 3 and len(recorder.of("u3.p")) >= 3

            await run_until(source, recorder, mended)
            # A time-out is four intervals: the sound units are due after each. Before its first answer none is sound.
            proven = asked[asked.index(4) :]
            for before, after in itertools.pairwise(proven):
                assert before in (1, 4) or after in (1, 4)
            assert abs(proven.count(1) - proven.count(4)) <= 1
            assert recorder.downs("u2") == ["unit 2: no answer within 0.2 s (0.2 秒内无应答)"]
            assert ("u2", None) in recorder.told
            assert not recorder.downs("u1")
            assert set(recorder.of("u2.p")) == {2}

    asyncio.run(main())


def test_a_unit_behind_a_gateway_that_says_so_is_down_without_a_time_out() -> None:
    async def main() -> None:
        async with wire(lambda r: r.refusal(11) if r.unit_id == 2 else r.answer(1)) as end:
            source = ModbusSource(
                connection(end.port, meter("a", 1, gauge("p", 0)), meter("b", 2, gauge("p", 0), gauge("q", 90))),
                clock=FakeClock(),
                chance=no_chance,
            )
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: len(recorder.polls) == 10)
            assert end.connections == 1
            assert recorder.downs("b") == ["unit 2: gateway target does not respond (网关后设备无应答) [11]"]
            asked = [request for request in end.requests if request.unit_id == 2]
            assert 2 <= len(asked) <= 5  # 0.75, 1.5, 3 s …, one block each time

    asyncio.run(main())


def test_a_poll_is_recorded_before_its_unit_is_asked_again() -> None:
    async def main() -> None:
        recorder = MemoryRecorder()
        recorded: list[tuple[int, int]] = []

        def behaviour(request: Request) -> Reply:
            recorded.append((request.unit_id, len(recorder.polls)))
            return request.answer(7)

        async with wire(behaviour) as end:
            source = ModbusSource(
                connection(
                    end.port,
                    meter("b", 2, gauge("p", 0), interval_ms=20),
                    meter("a", 1, gauge("p", 0), gauge("q", 90), interval_ms=20),
                    meter("a-too", 1, gauge("p", 0), interval_ms=20),
                )
            )
            recorder.gate.clear()
            running = asyncio.create_task(source.run(recorder))
            # The bus goes on while the first poll is being recorded, but not with the same unit.
            await recorder.until(lambda: len(recorder.waiting) == 2)
            await asyncio.sleep(0.1)
            assert recorded == [(2, 0), (1, 0), (1, 0)]
            recorder.gate.set()
            await recorder.until(lambda: len(recorder.polls) >= 3)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            assert recorded[3] == (1, 2)

    asyncio.run(main())


def test_what_was_read_is_recorded_even_when_told_to_stop() -> None:
    async def main() -> None:
        async with wire(lambda request: request.answer(7)) as end:
            devices = (meter(f"u{unit}", unit, gauge("p", 0)) for unit in (1, 2, 3))
            source = ModbusSource(connection(end.port, *devices))
            recorder = MemoryRecorder()
            recorder.gate.clear()
            running = asyncio.create_task(source.run(recorder))
            await recorder.until(lambda: len(recorder.waiting) == 3)
            running.cancel()
            await asyncio.sleep(0)
            recorder.gate.set()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            assert [poll.device for poll in recorder.polls] == ["u1", "u2", "u3"]

    asyncio.run(main())


def test_an_error_of_the_recorder_ends_the_run_as_itself() -> None:
    class Full(Exception):
        pass

    class FullRecorder(MemoryRecorder):
        async def record(self, poll: Poll) -> None:
            raise Full(poll.device)

    async def main() -> None:
        async with bus({1: {0: 1}}) as port:
            source = ModbusSource(connection(port, meter("a", 1, gauge("p", 0))))
            with pytest.raises(Full, match="a"):
                await run_until(source, FullRecorder(), lambda: False)

    asyncio.run(main())


LIE = 666
TRUTH = 1


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda r: Request(0, r.unit_id, 3, 0, 1, 0).answer(LIE), id="transaction 0"),
        pytest.param(lambda r: Request(r.transaction - 1, 1, 3, 0, 1, 0).answer(LIE), id="earlier transaction"),
        pytest.param(lambda r: Request(r.transaction, 9, 3, 0, 1, 0).answer(LIE), id="another unit"),
        pytest.param(lambda r: Request(r.transaction, 1, 4, 0, 1, 0).answer(LIE), id="another function"),
        pytest.param(lambda r: Request(r.transaction, 1, 4, 0, 1, 0).refusal(2), id="refusal of another function"),
        pytest.param(lambda r: r.answer(LIE, LIE), id="more registers"),
        pytest.param(lambda r: r.answer(), id="no registers"),
        pytest.param(lambda r: r.frame(bytes([3, 4, 0, LIE % 256])), id="fewer bytes than said"),
        pytest.param(lambda r: r.frame(bytes([43, 14, 1])), id="a function nobody asked for"),
        pytest.param(lambda r: b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(lambda r: r.answer(LIE)[:-1], id="cut short"),
        pytest.param(lambda r: Close(r.answer(LIE)[:-1]), id="cut short and closed"),
        pytest.param(lambda r: Close(), id="closed"),
        pytest.param(lambda r: b"\x00" * 600, id="a flood"),
    ],
)
def test_only_the_right_answer_is_taken(lie: object) -> None:
    async def main() -> None:
        assert callable(lie)
        async with wire(lambda r: lie(r) if len(end.requests) == 2 else r.answer(TRUTH)) as end:
            source = ModbusSource(
                connection(end.port, meter("a", 1, gauge("p", 0))), clock=FakeClock(), chance=no_chance
            )
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: len(recorder.polls) == 4)
            assert set(recorder.of("a.p")) == {TRUTH}
            assert len(recorder.downs("a")) == 1
            assert end.connections == 2
            assert [request.connection for request in end.requests] == [1, 1, *[2] * (len(end.requests) - 2)]

    asyncio.run(main())


def test_an_answer_after_the_time_out_is_never_taken() -> None:
    """Whatever a slow device says too late reaches a closed socket; its transaction cannot fit another request."""

    async def main() -> None:
        slow = asyncio.Event()

        async def late(request: Request) -> Reply:
            await slow.wait()
            return request.answer(LIE)

        def behaviour(request: Request) -> Reply:
            return request.answer(TRUTH)

        async with wire(lambda r: late(r) if r.connection == 1 else behaviour(r)) as end:
            source = ModbusSource(
                connection(end.port, meter("a", 1, gauge("p", 0))), clock=FakeClock(), chance=no_chance
            )
            recorder = MemoryRecorder()

            def happened() -> bool:
                if recorder.downs("a"):
                    slow.set()
                return len(recorder.polls) == 5

            await run_until(source, recorder, happened)
            assert set(recorder.of("a.p")) == {TRUTH}
            assert end.requests[0].connection == 1
            assert {request.connection for request in end.requests[1:]} == {2}

    asyncio.run(main())


def test_a_cut_connection_is_noticed_without_waiting_for_the_time_out() -> None:
    async def main() -> None:
        async with wire(lambda r: Close() if r.connection == 1 else r.answer(TRUTH)) as end:
            source = ModbusSource(
                connection(end.port, meter("a", 1, gauge("p", 0)), timeout_s=30),
                clock=FakeClock(),
                chance=no_chance,
            )
            recorder = MemoryRecorder()
            before_s = time.monotonic()
            await run_until(source, recorder, lambda: len(recorder.polls) == 1)
            assert time.monotonic() - before_s < 10
            assert recorder.downs("a") == ["unit 1: the connection was closed by the other side (连接被对方关闭)"]

    asyncio.run(main())


def _has(recorder: MemoryRecorder, what: str, count: int) -> bool:
    return len(recorder.downs("b") if what == "down" else recorder.polls) >= count


def test_it_connects_when_the_host_comes_up_and_again_when_it_returns() -> None:
    async def main() -> None:
        async with wire(lambda r: r.answer(TRUTH)) as end:
            port = end.port
        source = ModbusSource(
            connection(port, meter("a", 1, gauge("p", 0)), meter("b", 2, gauge("p", 0))),
            clock=FakeClock(),
            chance=no_chance,
        )
        recorder = MemoryRecorder()
        running = asyncio.create_task(source.run(recorder))
        try:
            for life in (1, 2):
                await recorder.until(partial(_has, recorder, "down", life))
                async with wire(lambda r: r.answer(TRUTH), port):
                    await recorder.until(partial(_has, recorder, "polls", len(recorder.polls) + 6))
                assert recorder.told[-1][1] is None
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        assert recorder.downs("a")[0] == f"127.0.0.1:{port} refuses, or there is no such host (连接被拒绝或主机不存在)"

    asyncio.run(main())


def test_it_rests_as_the_settings_ask() -> None:
    async def main() -> None:
        clock = FakeClock()
        asked_s: list[float] = []

        def behaviour(request: Request) -> Reply:
            asked_s.append(clock.now_s)
            return request.answer(TRUTH)

        async with wire(behaviour) as end:
            settings = connection(
                end.port,
                meter("a", 1, gauge("p", 0), gauge("q", 100)),
                meter("b", 2, gauge("p", 0)),
                pause_after_connect_s=0.5,
                request_gap_s=0.1,
            )
            recorder = MemoryRecorder()
            await run_until(ModbusSource(settings, clock=clock), recorder, lambda: len(recorder.polls) == 2)
            assert [round(at - 1000.0, 6) for at in asked_s[:3]] == [0.5, 0.6, 0.7]

    asyncio.run(main())


def test_a_block_that_is_ignored_does_not_silence_its_device() -> None:
    async def main() -> None:
        async with wire(lambda r: None if r.address == 0 else r.answer(TRUTH)) as end:
            source = ModbusSource(
                connection(end.port, meter("a", 1, gauge("ignored", 0), gauge("p", 100)), timeout_s=0.05),
                clock=FakeClock(),
                chance=no_chance,
            )
            recorder = MemoryRecorder()
            await run_until(source, recorder, lambda: len(recorder.polls) == 20)
            assert recorder.of("a.ignored") == []
            assert recorder.downs("a") == [
                "unit 1: no answer within 0.05 s (0.05 秒内无应答)",
                "holding 0 … 0: no answer within 0.05 s (0.05 秒内无应答)",
            ]

    asyncio.run(main())
