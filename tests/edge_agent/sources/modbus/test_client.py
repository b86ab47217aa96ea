"""Whatever bytes come back, an answer is what this request was answered with."""

from __future__ import annotations

import asyncio
import re
import struct

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.sources.clock import SystemClock
from edge_agent.sources.modbus.client import EXCEPTIONS, Answer, Client, Refusal, Unanswered
from edge_agent.sources.modbus.settings import Function
from tests.edge_agent.sources.modbus.meters import Close, Reply, Request, connection, gauge, meter, wire

frames = st.builds(
    lambda tid, pid, unit, function, body, length: (
        struct.pack(">HHHBB", tid, pid, max(0, len(body) + 2 + length), unit, function) + body
    ),
    st.sampled_from([0, 1, 2, 0xFFFF]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([1, 1, 1, 0, 2]),
    st.sampled_from([3, 3, 3, 4, 0x83, 0x84, 1, 43, 0]),
    st.one_of(st.sampled_from([b"\x04\x02\x9a\x02\x9a", b"\x02\x02\x9a", b"\x02", b""]), st.binary(max_size=12)),
    st.sampled_from([0, 0, 0, -1, 1, 100]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(frames, st.binary(max_size=20)), max_size=3).map(b"".join), st.booleans())
def test_any_bytes_are_the_right_answer_or_none(sent: bytes, closes: bool) -> None:
    async def main() -> None:
        def behaviour(request: Request) -> Reply:
            return Close(sent) if closes else sent

        async with wire(behaviour) as end:
            client = Client(connection(end.port, meter("a", 1, gauge("p", 0)), timeout_s=0.05), SystemClock())
            await client.connect()
            try:
                found = await client.read(1, Function.HOLDING, 0, 2)
            except Unanswered:
                assert not client.connected
                return
            finally:
                client.close()
            (request,) = end.requests
            if isinstance(found, Answer):
                assert len(found.words) == 2
                expected = request.answer(*found.words)
            else:
                expected = request.refusal(found.code)
            # Transaction, protocol 0, any length that the bytes bear out, unit, function, content.
            assert re.search(re.escape(expected[:4]) + b".." + re.escape(expected[6:]), sent, re.DOTALL)

    asyncio.run(main())


def test_every_exception_of_the_specification_has_words() -> None:
    assert all(Refusal(code).shown.endswith(f"[{code}]") for code in EXCEPTIONS)
    assert Refusal(2).shown == "illegal data address (地址不存在) [2]"
    assert Refusal(99).shown == "unknown exception (未知异常) [99]"


def test_transactions_wrap_around_without_trouble() -> None:
    """pymodbus counts to 65000 and begins again at 1; every answer must still be told from the one before."""

    async def main() -> None:
        asked = 0

        def behaviour(request: Request) -> Reply:
            return request.answer(asked % 65_536)

        async with wire(behaviour) as end:
            client = Client(connection(end.port, meter("a", 1, gauge("p", 0))), SystemClock())
            await client.connect()
            client._wire.client.ctx.next_tid = 64_990  # type: ignore[union-attr]
            for asked in range(40):
                found = await client.read(1, Function.HOLDING, 0, 1)
                assert isinstance(found, Answer)
                assert found.words == [asked]
            client.close()
            assert [request.transaction for request in end.requests[9:12]] == [65_000, 1, 2]

    asyncio.run(main())
