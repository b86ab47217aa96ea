"""Judges a run: readings and energy against the meters' own journals, and what the ledger says of every message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from deploy.local.demo.judge import Row, Verdict, judge
from deploy.local.demo.stage import Stage
from deploy.local.demo.witnesses import answers_of, records_of, rows_from_database
from deploy.local.meters.settings import Quantity
from tests.faults.energy import by_hand
from warehouse import postgres
from warehouse.energy.job import close, last_quarter
from warehouse.registry.load import load_folder, load_reference


@dataclass(frozen=True, slots=True)
class Ledger:
    """What must be nothing, in the words of the schema `ingest`."""

    open: int
    """Messages that are expected still."""
    lost: int
    """Messages that will never come."""
    rejected: int
    dropped: int
    degraded: int
    """Gateways whose ledger row grew too long."""
    seq_reused: int
    """Messages that came again with other readings."""
    dead_letters: int
    readings_rejected: int
    readings_replaced: int
    """Values that lost against another of the same series and time: false duplicates."""
    parked: int
    offset_losses: int

    @property
    def clean(self) -> bool:
        """True when all of it is nothing."""
        return not any(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Energy:
    """Quarter-hours of the accounts beside those by hand."""

    quarters: int
    differing: tuple[str, ...]
    """In words."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was judged."""

    readings: Verdict
    ledger: Ledger
    energy: Energy

    @property
    def clean(self) -> bool:
        """True when nothing was lost, doubled, changed or invented, and every sum is right."""
        return self.readings.clean and self.ledger.clean and not self.energy.differing


def find(dsn: str, stage: Stage, gateways: Iterable[str]) -> Findings:
    """Judge what came of ``gateways``; closes the energy accounts first."""
    chosen = frozenset(gateways)
    meters = [meter for meter in stage.meters if stage.demo.gateway_of(meter) in chosen]
    good: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)

    def paired(row: Row) -> None:
        if isinstance(row.value, int):
            good[row.series].append((row.t_ms, row.value))

    readings = judge(
        (answer for meter in meters for answer in answers_of(stage.journal(meter), stage.demo.gateway_of(meter))),
        (record for meter in meters for record in records_of(stage.load_profile(meter), stage.demo.gateway_of(meter))),
        rows_from_database(dsn, chosen),
        paired=paired,
    )
    with postgres.connect(dsn, application="g60-faults") as connection:
        ledger = _ledger(connection, chosen)
        through = last_quarter(datetime.now(UTC))
        for report in (load_reference(connection), load_folder(connection, stage.district)):
            if report.refused:
                raise AssertionError(f"the registry refuses {report.refused[:5]}")
        close(connection, through)
        energy = _energy(connection, stage, meters, good, int(through.timestamp()) * 1000)
    return Findings(readings, ledger, energy)


def _ledger(connection: postgres.Connection, gateways: frozenset[str]) -> Ledger:
    row = connection.execute(
        """
        SELECT
          sum(s.open_count)::int8, sum(s.lost_count)::int8, sum(s.rejected_count)::int8, sum(s.dropped_count)::int8,
          count(s.degraded_since),
          (SELECT count(*) FROM ingest.exception WHERE gateway = ANY (%(gateways)s)),
          (SELECT count(*) FROM ingest.dead_letter),
          (SELECT count(*) FROM ingest.reading_rejected),
          (SELECT count(*) FROM ingest.reading_replaced AS r JOIN ingest.series USING (series_id)
           WHERE gateway = ANY (%(gateways)s))
          + (SELECT count(*) FROM ingest.reading_deferred),
          (SELECT count(*) FROM ingest.parked_message WHERE gateway = ANY (%(gateways)s)),
          (SELECT count(*) FROM ingest.offset_loss)
        FROM ingest.ledger_status AS s WHERE s.gateway = ANY (%(gateways)s)
        """,
        {"gateways": sorted(gateways)},
    ).fetchone()
    if row is None or row[0] is None:
        raise AssertionError("the ledger knows nothing of these gateways: nothing arrived at all")
    return Ledger(*map(int, row))


def _energy(
    connection: postgres.Connection,
    stage: Stage,
    meters: list[str],
    good: dict[tuple[str, str], list[tuple[int, int]]],
    through_ms: int,
) -> Energy:
    quarters = 0
    differing: list[str] = []
    for meter in meters:
        profile = stage.demo.profile_of(meter)
        series = (stage.demo.gateway_of(meter), f"{meter}.{Quantity.ACTIVE_ENERGY}")
        worth = Decimal(profile.multiplier).scaleb(-profile.decimals)
        expected = by_hand(good.get(series, []), profile.range, worth, stage.demo.start_ms, through_ms)
        found = {
            int(start_ms): energy
            for start_ms, energy in connection.execute(
                "SELECT extract(epoch FROM q.start) * 1000, q.energy FROM energy.quarter AS q"
                " JOIN registry.meter AS m USING (meter_id) WHERE m.serial = %s AND NOT q.feed_in",
                (profile.serial,),
            )
        }
        quarters += len(expected)
        differing += [
            f"{meter} quarter={start_ms} account={found.get(start_ms)} by_hand={energy}"
            for start_ms, energy in expected.items()
            if found.get(start_ms) != energy
        ]
    return Energy(quarters, tuple(differing))
