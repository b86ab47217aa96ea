"""MQTT to queryable row: readings per second at a constant rate, and how old a reading is when it is committed."""

from __future__ import annotations

from typing import Final

from tests.benchmarks.chain import chain
from tests.benchmarks.cpu import Meter, costs_us
from tests.benchmarks.fleet import SERIES_A_MESSAGE
from tests.benchmarks.plan import Live, Order
from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say, stored
from tests.benchmarks.stage import Stage

OFFERED: Final = 1.02
"""What is sent, over what is to be reached: a rate that is kept up with is then seen as reached."""
GATEWAYS: Final = 500


def end_to_end(stage: Stage, scale: Scale, say: Say) -> Result:
    """200 readings a message."""
    return at_rate(stage, scale, say, points=10, readings_per_s=scale.readings_per_s)


def end_to_end_20(stage: Stage, scale: Scale, say: Say) -> Result:
    """20 readings a message."""
    return at_rate(stage, scale, say, points=1, readings_per_s=scale.readings_per_s_20)


def at_rate(stage: Stage, scale: Scale, say: Say, points: int, readings_per_s: int) -> Result:
    """Send ``readings_per_s`` and see what becomes of them."""
    gateways = min(GATEWAYS, scale.district_gateways)
    readings = SERIES_A_MESSAGE * points
    offered = OFFERED * readings_per_s
    with chain(stage, gateways, points, scale.admitted_per_s) as running:
        last_batch, _ = stored(running.connection)
        with Meter(running.pids()) as meter:
            sent = running.driver.ask(Order(live=Live(seconds=scale.seconds, messages_per_s=offered / readings)))
            taken = running.await_readings(sent.messages * readings)
        rate = running.rate(last_batch)
        delay, of_messages = running.delays(sent.began_ms)
        rows = running.rows()
    say(f"{rate:,.0f} readings/s, {delay}; {rows:,} of {(sent.messages + sent.unsent) * readings:,} stored")
    return {
        "readings_per_s": round(rate),
        "p50_ms": delay.p50_ms,
        "p99_ms": delay.p99_ms,
        "most_ms": delay.most_ms,
        "message_p50_ms": of_messages.p50_ms,
        "message_p99_ms": of_messages.p99_ms,
        "sent": (sent.messages + sent.unsent) * readings,
        "stored": rows,
        "missing": (sent.messages + sent.unsent) * readings - rows,
        "refused_messages": sent.refused,
        "lost_connections": sent.lost_connections,
        "gateways": gateways,
        "seconds": scale.seconds,
        "generator_cpu": sent.cpu_cores,
        "generator_late_p99_ms": sent.late_p99_ms,
        "cpu": meter.shares,
        "cpu_us_per_reading": costs_us(meter.shares, taken / meter.passed_s),
    }
