"""The agent: sources, recorder and publisher together, from start to stop."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from edge_agent import __version__
from edge_agent.clock import Clock, ClockWatch, SystemClock
from edge_agent.contract.birth import MAX_SERIES, Birth, SeriesSpec
from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.event import Event, EventKind
from edge_agent.machine import marks
from edge_agent.outbox.database import OutboxDamaged, OutboxFull, OutboxUnavailable
from edge_agent.outbox.outbox import Outbox
from edge_agent.publisher.announce import Portrait
from edge_agent.publisher.backoff import Backoff, Chance
from edge_agent.publisher.courier import Courier
from edge_agent.publisher.identity import client_id
from edge_agent.publisher.mqtt import Address, tls_context
from edge_agent.recorder import Devices, DiskRecorder
from edge_agent.settings import EdgeSettings, Tls
from edge_agent.sources import Source

_log = logging.getLogger(__name__)

AGENT: Final = f"g60-edge/{__version__}"
STOP_S: Final = 5.0
"""From the signal to the end."""
_GOODBYE_S: Final = 1.2
_FULL_WAIT_S: Final = 5.0
_RESTART_FIRST_S: Final = 1.0
_RESTART_MOST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source and its name in the configuration, for logs."""

    name: str
    source: Source


def sources_of(settings: EdgeSettings) -> list[NamedSource]:
    """Return the sources that ``settings`` name; ``Misconfigured`` when one cannot be made.

    Touches no network. The code of a source, and what it needs, is imported only when it is configured.
    """
    named: list[NamedSource] = []
    known: dict[str, SeriesSpec] = {}
    if settings.modbus:
        try:
            from edge_agent.sources.modbus.source import ModbusSource
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "pymodbus":
                raise
            raise Misconfigured(
                "[[modbus]] needs pymodbus, which is not installed (缺少 pymodbus): pip install 'g60-pulse[modbus]'"
            ) from error
        for connection in settings.modbus:
            named.append(NamedSource(f"modbus {connection.name}", ModbusSource(connection)))
            _add(known, named[-1])
    if settings.replay:
        from edge_agent.sources.replay.source import ReplaySource

        for replay in settings.replay:
            named.append(NamedSource(f"replay {replay.name}", ReplaySource(replay, dict(known))))
            _add(known, named[-1])
    return named


def _add(known: dict[str, SeriesSpec], named: NamedSource) -> None:
    for series, spec in named.source.series().items():
        if series in known:
            raise Misconfigured(f"{named.name}: series {series!r} is declared twice (序列名重复)")
        known[series] = spec


def birth_of(settings: EdgeSettings, sources: Sequence[NamedSource]) -> Birth:
    """Return the birth of a gateway with these sources; ``Misconfigured`` when it has none or too many series."""
    series: dict[str, SeriesSpec] = {}
    for named in sources:
        _add(series, named)
    if not 1 <= len(series) <= MAX_SERIES:
        raise Misconfigured(f"{len(series)} series; allowed: 1 … {MAX_SERIES} in one gateway (点数超出范围)")
    return Birth(gateway=settings.gateway.id, series=series, agent=AGENT, enterprise=settings.gateway.enterprise)


def address_of(settings: EdgeSettings) -> Address:
    """Return where and as whom to connect; reads the password and certificates, touches no network."""
    mqtt = settings.mqtt
    tls = tls_context(mqtt.ca_file, mqtt.cert_file, mqtt.key_file) if mqtt.tls is Tls.ON else None
    password = mqtt.secret()
    return Address(
        host=mqtt.host,
        port=mqtt.actual_port,
        client_id=mqtt.client_id or client_id(settings.gateway.id, password),
        user=settings.user,
        password=password,
        tls=tls,
        keepalive_s=mqtt.keepalive_s,
        connect_timeout_s=mqtt.connect_timeout_s,
    )


class Agent:
    """A gateway at work; :meth:`run` is its whole life."""

    def __init__(
        self,
        settings: EdgeSettings,
        sources: Sequence[NamedSource] | None = None,
        *,
        clock: Clock | None = None,
        chance: Chance = random.random,
        machine: Collection[str] | None = None,
    ) -> None:
        self._settings = settings
        self._sources = sources_of(settings) if sources is None else list(sources)
        self._birth = birth_of(settings, self._sources)
        self._address = address_of(settings)
        self._clock = clock or SystemClock()
        self._machine = marks() if machine is None else machine
        self._chance = chance
        self._stop = asyncio.Event()
        self._stopped_mono_s: float | None = None

    def stop(self) -> None:
        """Have :meth:`run` end; from the loop's thread."""
        if self._stopped_mono_s is None:
            self._stopped_mono_s = self._clock.mono_s()
        self._stop.set()

    async def run(self) -> None:
        """Read, record and publish until :meth:`stop` or SIGTERM or SIGINT; then end within five seconds.

        A buffer that turns out to be damaged is set aside and the agent goes on with a new one. While the disk is so
        full that the buffer cannot even be opened the agent waits: there is nowhere to keep what it would read.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        try:
            while not self._stop.is_set():
                try:
                    await self._life()
                except OutboxFull as error:
                    _log.error("outbox.disk_full error=%r: waiting for room (磁盘已满，等待空间)", str(error))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stop.wait(), _FULL_WAIT_S)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def _life(self) -> None:
        """Live with one outbox file until stopped, or until the file is found damaged."""
        settings = self._settings.outbox
        outbox = Outbox(settings.path, settings.max_bytes, now_ms=self._clock.utc_ms, machine=self._machine)
        with outbox:
            if outbox.set_aside is not None:
                _log.error(
                    "outbox.set_aside kept_as=%s why=%r (缓冲文件损坏，已改名保留)",
                    outbox.set_aside.path,
                    outbox.set_aside.why,
                )
            try:
                await self._work(outbox)
            except OutboxDamaged as error:
                _log.error("outbox.damaged error=%r", str(error))
                outbox.suspect()
            except OutboxUnavailable as error:
                _log.error("outbox.unavailable error=%r: opening it anew (缓冲文件读写出错，重新打开)", str(error))
                await asyncio.sleep(_RESTART_FIRST_S)

    async def _work(self, outbox: Outbox) -> None:
        devices = Devices()
        courier = self._courier(outbox, devices)
        recorder = DiskRecorder(outbox, self._birth, self._settings.publish, self._clock, devices, courier.wake)
        with ThreadPoolExecutor(1, thread_name_prefix="publisher") as thread:
            recorder.start()
            sent = asyncio.get_running_loop().run_in_executor(thread, courier.run)
            try:
                recorder.tell(Event(kind=EventKind.STARTED, at=self._clock.utc_ms(), text=AGENT))
                await self._read(recorder, sent)
            finally:
                stopped_mono_s = self._clock.mono_s() if self._stopped_mono_s is None else self._stopped_mono_s
                await recorder.finish()
                courier.stop(stopped_mono_s + STOP_S - _GOODBYE_S)
                await asyncio.wait((sent,))
        for future in (recorder.ended, sent):
            future.result()
        _log.info("agent.stopped gateway=%s", self._birth.gateway)

    async def _read(self, recorder: DiskRecorder, sent: asyncio.Future[None]) -> None:
        """Run the sources until the agent is to stop or one of its threads has ended."""
        _log.info("agent.started gateway=%s series=%d", self._birth.gateway, len(self._birth.series))
        stopped = asyncio.create_task(self._stop.wait())
        tasks = [asyncio.create_task(self._supervise(named, recorder)) for named in self._sources]
        try:
            await asyncio.wait((stopped, recorder.ended, sent), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stopped, *tasks):
                task.cancel()
            # A source may still have to see its last poll recorded.
            await asyncio.wait((stopped, *tasks), timeout=STOP_S / 2)

    async def _supervise(self, named: NamedSource, recorder: DiskRecorder) -> None:
        """Run one source, again after any error, and disturb no other."""
        backoff = Backoff(_RESTART_FIRST_S, _RESTART_MOST_S, lambda: 0.5 + 0.5 * self._chance())
        while True:
            started_mono_s = self._clock.mono_s()
            try:
                await named.source.run(recorder)
            except Exception:  # noqa: BLE001 - the supervisor: whatever a source does, the others go on
                if self._clock.mono_s() - started_mono_s > _RESTART_MOST_S:
                    backoff.succeeded()
                wait_s = backoff.failed()
                _log.exception(
                    "agent.source_failed source=%r restart_s=%.1f (采集任务出错，将重启)", named.name, wait_s
                )
                await asyncio.sleep(wait_s)
            else:
                _log.info("agent.source_done source=%r", named.name)
                return

    def _courier(self, outbox: Outbox, devices: Devices) -> Courier:
        digest = self._birth.digest()

        def portrait(watch: ClockWatch) -> Portrait:
            answering = {device: state.up for device, state in devices.states().items()}
            clocks = devices.clocks.offsets_ms()
            return Portrait(AGENT, self._clock.utc_ms(), digest, watch.state(), answering, clocks)

        return Courier(
            self._birth.gateway,
            self._address,
            self._settings.mqtt.reconnect_max_s,
            self._settings.publish,
            outbox,
            portrait,
            self._clock,
            self._chance,
        )
