"""One demo, from an empty folder to a judged report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from psycopg import Connection
from rich.console import Console

from deploy.local import runfile
from deploy.local.demo import fate, figures
from deploy.local.demo.district import Planted, write_district
from deploy.local.demo.fate import Tally
from deploy.local.demo.profiles import Demo
from deploy.local.demo.report import Report
from deploy.local.demo.stage import METERS, Stage, agent_name
from deploy.local.demo.watch import Watch
from deploy.local.services import services
from deploy.local.system import System
from edge_agent.contract.errors import Misconfigured, Retryable
from warehouse import postgres
from warehouse.jobs.settings import JobName

LOOK_S: Final = 1.0
"""How often the demo looks how far the readings are."""
DRAIN_WITHIN_S: Final = 180.0
"""How long, after the meters fell silent, the last reading may take; what has not come then counts as lost."""
CONFIRM_EVERY_S: Final = 2.0
"""The warehouse confirms more often than in production, so that a short demo drains in seconds."""
JOBS: Final = (JobName.HOLES, JobName.COMPLETENESS)
"""The energy accounts are closed once, by the demo itself, when the last reading is there: closing them while months of
past readings come would compute them many times over, to the same end."""
_MARK: Final = "demo.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a demo."""

    folder: Path
    seconds: float
    """How long the meters are read live."""


def run(plan: Plan, console: Console, now_ms: Callable[[], int]) -> Report:
    """Play the demo and judge it.

    A folder of an earlier demo is emptied; any other that holds something is ``Misconfigured``.
    """
    _clear(plan.folder)
    watch = Watch(console)
    demo = Demo.started(now_ms())
    stage = Stage.chosen(plan.folder, demo)
    with watch.step("past readings of six meters, from a real plant's year (由真实钢厂数据生成历史读数)"):
        past = stage.write_past()
        planted = write_district(stage.district, demo)
    with ExitStack() as ending:
        with watch.step("Mosquitto, Apache Kafka, PostgreSQL, bridge, sink, jobs (启动服务)"):
            system = ending.enter_context(
                System(plan.folder, services=partial(services, confirm_every_s=CONFIRM_EVERY_S, jobs=JOBS))
            )
        return _play(plan, stage, system, watch, past, planted, now_ms)


def _play(
    plan: Plan, stage: Stage, system: System, watch: Watch, past: int, planted: Planted, now_ms: Callable[[], int]
) -> Report:
    dsn = system.database.dsn
    with watch.step(f"registry of a synthetic district, {planted.enterprises:,} enterprises (导入合成区域名录)"):
        figures.load(dsn, stage.district)
    with watch.step(f"readings: {past:,} of the past, and live ones each second (采集)"):
        system.supervisor.start(stage.meters_spec())
        live_ms = now_ms()
        for spec in stage.agent_specs(system):
            system.supervisor.start(spec)
        _wait(plan, stage, system, watch, past)
    restarts = {standing.name: standing.restarts for standing in system.supervisor.standings() if standing.restarts}
    for gateway in stage.demo.gateways:
        system.supervisor.stop(agent_name(gateway))
    with watch.step("energy accounts and indicators (电量核算与指标)"):
        energy, indicators = figures.compute(dsn, stage.demo, planted)
    with watch.step("judged against the meters' journals (与表计日志逐条核对)"):
        found = fate.verdict(dsn, stage)
        with postgres.connect(dsn, application="g60-demo") as connection:
            return Report(
                seconds=plan.seconds,
                servers=system.versions(),
                readings=fate.readings(connection, stage, found, now_ms()),
                latency_ms=fate.latency(connection, live_ms),
                energy=energy,
                indicators=indicators,
                restarts=restarts,
                faults=tuple(words for kind in found.examples.values() for words in kind),
            )


def _wait(plan: Plan, stage: Stage, system: System, watch: Watch, past: int) -> None:
    """Let the meters be read for the time asked for, then let everything drain."""
    live_until = time.monotonic() + plan.seconds
    drained_until = live_until + DRAIN_WITHIN_S
    with _Asking(system.database.dsn, stage) as asking:
        while (now := time.monotonic()) < live_until:
            watch.tell(past, asking.tally(), live_until - now)
            time.sleep(min(LOOK_S, live_until - now))
        system.supervisor.stop(METERS)
        while time.monotonic() < drained_until:
            tally = asking.tally()
            watch.tell(past, tally, 0)
            if tally is not None and tally.backfilled >= past and tally.held == 0 and tally.silent == 0:
                return
            time.sleep(LOOK_S)


class _Asking:
    """Asks the database how far the readings are, over its restarts."""

    def __init__(self, dsn: str, stage: Stage) -> None:
        self._dsn = dsn
        self._stage = stage
        self._connection: Connection | None = None

    def __enter__(self) -> _Asking:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def tally(self) -> Tally | None:
        """Return the tally, ``None`` while the database is away."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = postgres.connect(self._dsn, application="g60-demo")
            return fate.tally(self._connection, self._stage, time.time_ns() // 1_000_000)
        except Retryable:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier demo."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / _MARK).is_file():
            raise Misconfigured(f"{folder} holds something that is not a demo (目录非空); choose another --folder")
        if runfile.supervised(folder):
            raise Misconfigured(
                f"a demo runs in {folder} already (演示正在运行); end it first, or choose another --folder"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _MARK).write_text("{}\n", "utf-8")
