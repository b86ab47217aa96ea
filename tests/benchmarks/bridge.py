"""The bridge: what waits for it in the broker, into Kafka; nobody sends meanwhile."""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from deploy.local.mosquitto import Mosquitto
from tests.benchmarks.appended import Appended
from tests.benchmarks.cpu import Meter, costs_us
from tests.benchmarks.driving import driving
from tests.benchmarks.fleet import new_epoch
from tests.benchmarks.plan import Connect, Live, Order
from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say
from tests.benchmarks.stage import PATIENCE_S, Place, Stage, pid_of, running
from tests.services.waiting import until

GATEWAYS = 100
_SENT_PER_S = 3_000.0
_MOST_ROUNDS = 3


def bridge(stage: Stage, scale: Scale, say: Say) -> Result:
    """Both sizes of message."""
    short = drain(stage, scale, say, points=1, messages=scale.bridge_messages)
    # The broker's queue is bounded in bytes too.
    long = drain(stage, scale, say, points=10, messages=scale.bridge_messages // 2)
    return {**short, **{f"{key}_200": value for key, value in long.items()}}


def drain(stage: Stage, scale: Scale, say: Say, points: int, messages: int) -> Result:
    """Let ``messages`` wait, start the bridge, and count from the first to the last that Kafka appended."""
    rates: list[float] = []
    shares: list[dict[str, float]] = []
    size = 0.0
    for number in range(min(_MOST_ROUNDS, scale.rounds)):
        with stage.place() as place, place.mosquitto() as mosquitto:
            _fill(place, mosquitto, scale, points, messages)
            with Appended(stage.kafka.bootstrap) as appended:
                shares.append(_empty(place, mosquitto, appended, messages))
                first_ms, last_ms, size = appended.span()
        rates.append(messages * 1000 / max(1, last_ms - first_ms))
        say(f"round {number + 1}: {rates[-1]:,.0f} messages/s of {size:,.0f} bytes")
    rate = statistics.median(rates)
    return {
        "messages_per_s": round(rate),
        "message_bytes": round(size),
        "mb_per_s": round(rate * size / 1e6, 1),
        "rounds": [round(found) for found in rates],
        "cpu": shares[-1],
        "cpu_us_per_message": costs_us(shares[-1], rates[-1]),
    }


def _fill(place: Place, mosquitto: Mosquitto, scale: Scale, points: int, messages: int) -> None:
    """Have the broker keep ``messages`` for a bridge that was there and is away."""
    process = place.bridge(mosquitto)
    gateways = min(GATEWAYS, scale.district_gateways)
    with ExitStack() as ending:
        with running(process):
            until(lambda: "event=mqtt_up" in process.log.read_text("utf-8") and bool(pid_of(process)), PATIENCE_S)
            epoch = new_epoch(0) + 1024
            driver = ending.enter_context(driving(mosquitto, place.folder, gateways, points, epoch))
            driver.ask(Order(connect=Connect(per_s=200)))
        live = Live(seconds=messages / _SENT_PER_S, messages_per_s=_SENT_PER_S)
        sent = driver.ask(Order(live=live))
    if sent.acknowledged != messages or sent.refused:
        raise ValueError(f"the broker took {sent.acknowledged - sent.refused} of {messages} messages")


def _empty(place: Place, mosquitto: Mosquitto, appended: Appended, messages: int) -> dict[str, float]:
    """Run the bridge until Kafka has all ``messages``; return whose time that took, from the first one on."""
    process = place.bridge(mosquitto)
    with running(process):
        until(lambda: bool(pid_of(process)) and appended.count() > 0, PATIENCE_S, every_s=0.1)
        with Meter(_pids(place.stage, mosquitto) | {"bridge": pid_of(process)}) as meter:
            until(lambda: bool(pid_of(process)) and appended.count() >= messages, PATIENCE_S, every_s=0.1)
    return meter.shares


def _pids(stage: Stage, mosquitto: Mosquitto) -> dict[str, int]:
    found = {name: pid for name, pid in stage.pids().items() if name != "postgres"}
    return found if mosquitto.pid is None else found | {"mosquitto": mosquitto.pid}
