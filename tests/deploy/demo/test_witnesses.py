"""The judge's witnesses say what journals, load profiles and tables hold, exactly."""

from __future__ import annotations

from pathlib import Path

import psycopg

from deploy.local.demo.judge import Row, Series, judge
from deploy.local.demo.profiles import Demo
from deploy.local.demo.witnesses import answers_of, records_of, rows_from_database
from deploy.local.meters.curve import SLOT_MS
from deploy.local.meters.journal import JournalWriter
from deploy.local.meters.load_profile import write_load_profile
from deploy.local.meters.modbus import Read
from deploy.local.meters.settings import Quantity
from warehouse import postgres
from warehouse.migrate import Flavour, migrate

NOW_MS = 1_795_506_432_123
BIG = 2**53 + 1


def put(
    connection: psycopg.Connection, series: Series, kind: str, rows: list[tuple[int, int | float | None, int]]
) -> None:
    device, quantity = series.name.split(".")
    register = (2, 2**62) if kind == "register" else (None, None)
    found = connection.execute(
        "INSERT INTO ingest.series (gateway, identity, device, quantity, unit, kind, decimals, range, batch)"
        " VALUES (%s, %s, %s, %s, '', %s, %s, %s, 1) RETURNING series_id",
        (series.gateway, f"{series.name}/{kind}", device, quantity, kind, *register),
    ).fetchone()
    assert found is not None
    for t_ms, value, quality in rows:
        connection.execute(
            f"INSERT INTO ingest.reading_{kind} VALUES (%s, to_timestamp(%s::numeric / 1000), %s, %s, 1)",  # noqa: S608 - a word of this test
            (found[0], t_ms, value, quality),
        )


def test_the_tables_say_exactly_what_they_hold(database: str) -> None:
    energy, power = Series("gw-1", "m1.active_energy_import"), Series("gw-1", "m1.active_power")
    state, other = Series("gw-1", "m1.run_state"), Series("gw-2", "m2.active_power")
    with postgres.connect(database, application="test") as connection:
        migrate(connection, Flavour.PLAIN)
        connection.execute("SELECT ingest.ensure_month(date '2026-11-01')")
        put(connection, energy, "register", [(NOW_MS, BIG, 0), (NOW_MS + 1, None, 110)])
        put(connection, power, "gauge", [(NOW_MS, 0.1, 0)])
        put(connection, state, "state", [(NOW_MS, 3, 0)])
        put(connection, other, "gauge", [(NOW_MS, 1.5, 20)])
    rows = [
        Row(energy, NOW_MS, BIG),
        Row(energy, NOW_MS + 1, None, 110),
        Row(power, NOW_MS, 0.1),
        Row(state, NOW_MS, 3),
        Row(other, NOW_MS, 1.5, 20),
    ]
    found = list(rows_from_database(database))
    assert sorted(found, key=repr) == sorted(rows, key=repr)
    assert {type(row.value) for row in found if row.series == energy} == {int, type(None)}
    assert list(rows_from_database(database, ["gw-2"])) == [rows[-1]]


def test_journal_and_load_profile_meet_their_rows(tmp_path: Path) -> None:
    demo = Demo.started(NOW_MS)
    display = demo.displays["chedun-main"]
    gateway = demo.gateway_of("chedun-main")
    with JournalWriter(tmp_path / "chedun-main.jsonl", "chedun-main", life=1, max_bytes=10_000) as journal:
        for at_ms in (NOW_MS, NOW_MS + 1000):
            values = {quantity: display.value(quantity, at_ms) for quantity in Quantity}
            journal.answered(at_ms, 1, Read(3, 100, 7), values)
    write_load_profile(display, NOW_MS - 4 * SLOT_MS, NOW_MS, tmp_path / "past.csv.gz")
    answers = list(answers_of(tmp_path / "chedun-main.jsonl", gateway))
    records = list(records_of(tmp_path / "past.csv.gz", gateway))
    assert len(answers) == 8
    assert len(records) == 16
    rows = [Row(record.series, record.t_ms, record.value) for record in records]
    rows += [Row(answer.series, answer.at_ms + 2, answer.value) for answer in answers]
    verdict = judge(answers, records, rows)
    assert verdict.clean
    assert (verdict.acquired, verdict.backfilled, verdict.unfollowed) == (24, 16, 4)
