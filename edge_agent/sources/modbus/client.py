"""The only module that knows pymodbus: one request at a time, and an answer is the right one or none.

After a time-out, a cut connection or an answer that does not fit its request the connection is closed: whatever the
other side still sends goes to a socket that nobody reads. pymodbus's own retries and reconnects are off, because both
would hide that.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from edge_agent.contract.errors import Misconfigured, Retryable
from edge_agent.sources.clock import Clock
from edge_agent.sources.modbus.settings import Function, ModbusConnection

try:
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.exceptions import ConnectionException, ModbusException
    from pymodbus.pdu import ModbusPDU
except ImportError as error:
    raise Misconfigured("the Modbus source needs pymodbus (需要安装): pip install 'g60-pulse[modbus]'") from error

# What pymodbus logs is raised to us as well; its log would repeat it with a dump of frames at every time-out.
if logging.getLogger("pymodbus").level == logging.NOTSET:
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

EXCEPTIONS: Final = MappingProxyType(
    {
        1: "illegal function (功能码不支持)",
        2: "illegal data address (地址不存在)",
        3: "illegal data value (数据非法)",
        4: "device failure (设备故障)",
        5: "acknowledged, not ready (处理中)",
        6: "device busy (设备忙)",
        7: "negative acknowledge (拒绝)",
        8: "memory parity error (内存校验错)",
        10: "gateway path unavailable (网关路径不可用)",
        11: "gateway target does not respond (网关后设备无应答)",
    }
)
"""Exception codes of the Modbus specification, in words."""

_CUT: Final = "the connection was closed by the other side (连接被对方关闭)"
_CODES: Final = MappingProxyType({Function.HOLDING: 3, Function.INPUT: 4})


class Unreachable(Retryable):
    """No connection could be made."""


class Unanswered(Retryable):
    """No right answer came, and the connection is closed; ``cut`` when the other side closed it."""

    def __init__(self, why: str, *, cut: bool = False) -> None:
        super().__init__(why)
        self.cut = cut


@dataclass(frozen=True, slots=True)
class Answer:
    """The registers asked for, and when they arrived (UTC ms)."""

    words: list[int]
    t_ms: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The other side answered with an exception."""

    code: int

    @property
    def shown(self) -> str:
        """The exception in words for a person."""
        return f"{EXCEPTIONS.get(self.code, 'unknown exception (未知异常)')} [{self.code}]"

    @property
    def concerns_block(self) -> bool:
        """True when another address may be answered; busy and gateway exceptions concern the whole unit."""
        return self.code not in (5, 6, 10, 11)

    @property
    def concerns_address(self) -> bool:
        """True when a part of the block may be answered."""
        return self.code in (2, 3)


class Client:
    """One connection at a time to one host."""

    def __init__(self, settings: ModbusConnection, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._wire: _Wire | None = None
        self._rest_until_mono_s = 0.0

    @property
    def connected(self) -> bool:
        """True while there is a connection and the other side has not closed it."""
        return self._wire is not None and not self._wire.cut.done()

    async def connect(self) -> None:
        """Connect afresh, and rest as the settings ask; ``Unreachable`` when that fails."""
        self.close()
        where = f"{self._settings.host}:{self._settings.port}"
        wire = _Wire(self._settings, self._clock)
        before_mono_s = self._clock.mono_s()
        try:
            reached = await wire.client.connect()
        except UnicodeError as error:  # a label of the host name is too long for the resolver
            raise Unreachable(f"{where} is not a host name (主机名无效)") from error
        except BaseException:
            wire.client.close()
            raise
        if not reached:
            if self._clock.mono_s() - before_mono_s >= self._settings.timeout_s:
                raise Unreachable(f"no connection to {where} within {self._settings.timeout_s:g} s (连接超时)")
            raise Unreachable(f"{where} refuses, or there is no such host (连接被拒绝或主机不存在)")
        self._wire = wire
        self._rest_until_mono_s = self._clock.mono_s() + self._settings.pause_after_connect_s

    async def read(self, unit_id: int, function: Function, address: int, count: int) -> Answer | Refusal:
        """Read ``count`` registers from ``address`` (from 0); ``Unanswered`` when no right answer comes."""
        rest_s = self._rest_until_mono_s - self._clock.mono_s()
        if rest_s > 0:
            await self._clock.sleep(rest_s)
        if self._wire is None or self._wire.cut.done():
            self.close()
            raise Unanswered(_CUT, cut=True)
        try:
            found = await self._wire.ask(unit_id, function, address, count)
        except BaseException:
            # Also when cancelled: an answer may be on its way.
            self.close()
            raise
        self._rest_until_mono_s = self._clock.mono_s() + self._settings.request_gap_s
        return found

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._wire is not None:
            self._wire.client.close()
            self._wire = None


class _Wire:
    """A single TCP connection, never used again once closed."""

    def __init__(self, settings: ModbusConnection, clock: Clock) -> None:
        self._timeout_s = settings.timeout_s
        self._clock = clock
        self._sent_transaction: int | None = None
        self._arrived_ms = 0
        self.cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.client = AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            name=settings.name,
            timeout=settings.timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_pdu=self._trace,
            trace_connect=self._trace_connect,
        )

    async def ask(self, unit_id: int, function: Function, address: int, count: int) -> Answer | Refusal:
        read = self.client.read_holding_registers if function is Function.HOLDING else self.client.read_input_registers
        self._sent_transaction = None
        request = asyncio.ensure_future(read(address, count=count, device_id=unit_id))
        try:
            await asyncio.wait((request, self.cut), return_when=asyncio.FIRST_COMPLETED)
            if not request.done():
                raise Unanswered(_CUT, cut=True)
            pdu = request.result()
        except ConnectionException as error:
            raise Unanswered(_CUT, cut=True) from error
        except ModbusException as error:
            raise Unanswered(f"no answer within {self._timeout_s:g} s ({self._timeout_s:g} 秒内无应答)") from error
        finally:
            request.cancel()
        self._check(pdu, unit_id, _CODES[function], count)
        return Refusal(pdu.exception_code) if pdu.isError() else Answer(list(pdu.registers), self._arrived_ms)

    def _check(self, pdu: ModbusPDU, unit_id: int, code: int, count: int) -> None:
        """Raise ``Unanswered`` unless ``pdu`` answers the request.

        pymodbus 3.16 skips other transactions and units, but lets transaction 0 and any function or length pass.
        """
        expected = (self._sent_transaction, unit_id, code | 0x80 if pdu.isError() else code)
        found = (pdu.transaction_id, pdu.dev_id, pdu.function_code)
        if found != expected:
            raise Unanswered(
                f"the answer belongs to another request (应答不匹配): transaction, unit, function {found}, "
                f"expected {expected}"
            )
        if not pdu.isError() and len(pdu.registers) != count:
            raise Unanswered(f"{len(pdu.registers)} registers answered, {count} asked for (寄存器数量不符)")

    def _trace(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if sending:
            self._sent_transaction = pdu.transaction_id
        else:
            self._arrived_ms = self._clock.utc_ms()
        return pdu

    def _trace_connect(self, connected: bool) -> None:
        if not connected and not self.cut.done():
            self.cut.set_result(None)
