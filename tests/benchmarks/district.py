"""A district: all gateways connected, and all of them coming back after an outage with what it kept from being sent."""

from __future__ import annotations

import os

from tests.benchmarks.appended import Appended
from tests.benchmarks.chain import Chain, chain
from tests.benchmarks.cpu import Meter
from tests.benchmarks.end_to_end import OFFERED
from tests.benchmarks.fleet import SERIES_A_MESSAGE
from tests.benchmarks.plan import Answer, Drop, Live, Order, Return
from tests.benchmarks.scale import Scale
from tests.benchmarks.sink import Result, Say, stored
from tests.benchmarks.stage import Stage
from warehouse.postgres import statement

LOOK_EVERY_S = 5.0


def district(stage: Stage, scale: Scale, say: Say) -> Result:
    """Connect, run, cut, come back."""
    gateways = scale.district_gateways
    per_s = OFFERED * gateways * 1000 / scale.district_interval_ms
    with (
        chain(stage, gateways, 1, scale.admitted_per_s) as running,
        Appended(stage.kafka.bootstrap) as appended,
    ):
        say(f"{gateways:,} gateways made in {running.users_made_s} s, connected and known in {running.admitted_s} s")
        last_batch, before = stored(running.connection)
        with Meter(running.pids()) as meter:
            sent, lag = _watched(running, appended, Order(live=Live(seconds=scale.seconds, messages_per_s=per_s)))
        wanted = before + (sent.messages + sent.unsent) * SERIES_A_MESSAGE
        missing = wanted - running.await_readings(wanted)
        rate = running.rate(last_batch)
        delay, _ = running.delays(sent.began_ms)
        memory_mb = running.memory_mb()
        say(f"live: {rate:,.0f} readings/s, {delay}, lag {lag} messages")
        reconnect = _reconnect(running, appended, scale, per_s, say)
    return {
        "gateways": gateways,
        "connected": sent.connected,
        "readings_per_s": round(rate),
        "p50_ms": delay.p50_ms,
        "p99_ms": delay.p99_ms,
        "sink_lag_messages": lag,
        "missing": missing,
        "lost_connections": sent.lost_connections,
        "users_made_s": running.users_made_s,
        "admitted_s": running.admitted_s,
        "generator_cpu": meter.shares["generator"],
        "generator_late_p99_ms": sent.late_p99_ms,
        "idle_cores": _idle(meter),
        "cpu": meter.shares,
        "memory_mb": memory_mb,
        "reconnect": reconnect,
    }


def _reconnect(running: Chain, appended: Appended, scale: Scale, per_s: float, say: Say) -> dict[str, object]:
    """Cut everybody off, wait until that is known, and have them come back with the backlog of the outage."""
    running.driver.ask(Order(drop=Drop()))
    running.settled(lambda: _offline(running), running.gateways)
    last_batch, before = stored(running.connection)
    order = Return(
        within_s=scale.return_within_s,
        seconds=scale.return_within_s + scale.seconds / 2,
        messages_per_s=per_s,
        backlog_messages=scale.outage_s * 1000 // scale.district_interval_ms,
        interval_ms=scale.district_interval_ms,
        backlog_per_s=scale.backlog_per_s,
    )
    with Meter(running.pids()) as meter:
        back, lag = _watched(running, appended, Order(back=order))
    wanted = before + back.messages * SERIES_A_MESSAGE
    missing = wanted - running.await_readings(wanted)
    delay, _ = running.delays(back.began_ms, back.boundaries)
    backlog_per_s = back.backlog * SERIES_A_MESSAGE / back.took_s
    say(f"back: {back.connected:,} connected, live {delay}, backlog {backlog_per_s:,.0f} readings/s")
    return {
        "connected": back.connected,
        "within_s": order.within_s,
        "seconds": order.seconds,
        "outage_s": scale.outage_s,
        "p50_ms": delay.p50_ms,
        "p99_ms": delay.p99_ms,
        "most_ms": delay.most_ms,
        "readings_per_s": round(running.rate(last_batch)),
        "backlog_readings_per_s": round(backlog_per_s),
        "backlog_left_messages": back.unsent,
        "missing": missing,
        "sink_lag_messages": lag,
        "lost_connections": back.lost_connections,
        "generator_late_p99_ms": back.late_p99_ms,
        "idle_cores": _idle(meter),
        "cpu": meter.shares,
    }


def _watched(running: Chain, appended: Appended, order: Order) -> tuple[Answer, int]:
    """Have an order carried out and look at the sink's lag meanwhile; return the answer and the longest lag."""
    lag = 0
    running.driver.tell(order)
    while not running.driver.ready(LOOK_EVERY_S):
        lag = max(lag, running.lag(appended))
    return running.driver.answer(), lag


def _offline(running: Chain) -> int:
    row = running.connection.execute(statement("tests.benchmarks", "offline.sql")).fetchone()
    return int(row[0]) if row else 0


def _idle(meter: Meter) -> float:
    return round(max(0.0, (os.cpu_count() or 1) - sum(meter.shares.values())), 3)
