"""The probe shows what came, and why nothing did."""

from __future__ import annotations

import asyncio

from edge_agent.sources.modbus.decode import WordOrder
from edge_agent.sources.modbus.probe import probe
from tests.edge_agent.sources.modbus.meters import bus, connection, gauge, meter, wire

ENERGY = gauge("energy", 0, unit="kWh", kind="register", dtype="uint32", order="CDAB", decimals=2, range=100_000_000)


def test_each_point_is_shown_with_its_words() -> None:
    async def main() -> None:
        async with bus({1: {0: 0x614E, 1: 0x00BC, 5: 2314}}) as port:
            lines = await probe(
                connection(
                    port,
                    meter("a", 1, ENERGY, gauge("u", 5, unit="V", scale=0.1), gauge("no", 6)),
                    meter("b", 1, ENERGY | {"order": "ABCD", "address": 1}, address_base=1),
                )
            )
            energy, voltage, missing, wrong = lines
            assert (energy.series, energy.words, energy.value, energy.shown, energy.unit, energy.error) == (
                "a.energy",
                (0x614E, 0x00BC),
                12_345_678,
                "123456.78",
                "kWh",
                "",
            )
            assert (voltage.words, voltage.value, voltage.shown) == ((2314,), 231.4, "231.4")
            assert voltage.orders == {WordOrder.BADC: "256.9"}
            assert (missing.words, missing.value, missing.error) == ((), None, "illegal data address (地址不存在) [2]")
            assert (wrong.address, wrong.value, wrong.words) == (1, None, (0x614E, 0x00BC))
            assert wrong.error == "register_range: 1632501948 is outside 0 … 99999999"
            assert wrong.orders[WordOrder.CDAB] == "123456.78"

    asyncio.run(main())


def test_a_silent_unit_is_asked_once_and_the_others_all_the_same() -> None:
    async def main() -> None:
        async with wire(lambda r: None if r.unit_id == 1 else r.answer(7)) as end:
            lines = await probe(
                connection(end.port, meter("a", 1, gauge("p", 0), gauge("q", 1)), meter("b", 2, gauge("p", 0)))
            )
            assert [line.error for line in lines] == [
                "no answer within 0.2 s (0.2 秒内无应答)",
                "not asked: no answer within 0.2 s (0.2 秒内无应答)",
                "",
            ]
            assert lines[2].value == 7
            assert [request.unit_id for request in end.requests] == [1, 2]

    asyncio.run(main())


def test_a_host_that_is_away_is_said_for_every_point() -> None:
    async def main() -> None:
        async with wire(lambda _: None) as end:
            port = end.port
        lines = await probe(connection(port, meter("a", 1, gauge("p", 0)), meter("b", 2, gauge("p", 0))))
        why = f"127.0.0.1:{port} refuses, or there is no such host (连接被拒绝或主机不存在)"
        assert [line.error for line in lines] == [why, why]

    asyncio.run(main())
