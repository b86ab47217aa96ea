"""Births and series: what a name in a message means, from memory where possible."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from edge_agent.contract.birth import Birth, Kind
from warehouse.postgres import Connection, statement, text
from warehouse.sink.readings import Legend, Series

_SQL: Final = "warehouse.sink"


class BirthKey(NamedTuple):
    """A birth of a gateway, by its digest."""

    gateway: str
    digest: str


class Catalog:
    """The births in use, by gateway and digest. Immutable facts, so memory is never out of date.

    Keeps at most ``most_series`` series in memory and forgets the births unused for longest. After a transaction that
    failed, :meth:`forget` everything: it may hold what was rolled back.
    """

    def __init__(self, most_series: int) -> None:
        self._most_series = most_series
        self._series = 0
        self._births: OrderedDict[BirthKey, Legend] = OrderedDict()

    def known(self, connection: Connection, keys: Collection[BirthKey]) -> dict[BirthKey, Legend]:
        """Return those of ``keys`` that the warehouse knows."""
        found: dict[BirthKey, Legend] = {}
        missing: list[BirthKey] = []
        for key in keys:
            birth = self._births.get(key)
            if birth is None:
                missing.append(key)
            else:
                self._births.move_to_end(key)
                found[key] = birth
        if missing:
            found |= self._read(connection, missing)
        self._forget_oldest()
        return found

    def remembered(self, key: BirthKey) -> Legend | None:
        """Return the birth if it is in memory; may be asked by another thread."""
        return self._births.get(key)

    def forget(self) -> None:
        """Forget everything."""
        self._births.clear()
        self._series = 0

    def _read(self, connection: Connection, keys: list[BirthKey]) -> dict[BirthKey, Legend]:
        rows = connection.execute(
            statement(_SQL, "birth_find.sql"),
            {"gateways": [key.gateway for key in keys], "digests": [key.digest for key in keys]},
        )
        series: dict[BirthKey, dict[str, Series]] = {}
        for gateway, digest, name, series_id, kind, range_ in rows:
            series.setdefault(BirthKey(gateway, digest), {})[name] = Series(series_id, Kind(kind), range_)
        found = {key: Legend(names) for key, names in series.items()}
        self._births |= found
        self._series += sum(map(len, found.values()))
        return found

    def _forget_oldest(self) -> None:
        while self._series > self._most_series and len(self._births) > 1:
            _, birth = self._births.popitem(last=False)
            self._series -= len(birth)


def lock(connection: Connection, digests: Iterable[str]) -> None:
    """Keep other sinks from storing these births, or from parking messages that wait for them, until the commit."""
    wanted = sorted(set(digests))
    if wanted:
        connection.execute(statement(_SQL, "digest_lock.sql"), {"digests": wanted})


def say(connection: Connection, said: Iterable[tuple[BirthKey, int]]) -> None:
    """Write down when (UTC ms) gateways said births that are stored; a repetition of the last one leaves no row."""
    in_order = sorted(said, key=lambda one: one[1])
    if in_order:
        with connection.cursor() as cursor:
            cursor.executemany(
                statement(_SQL, "birth_said.sql"),
                [{"gateway": key.gateway, "digest": key.digest, "said_ms": said_ms} for key, said_ms in in_order],
            )


def store(connection: Connection, birth: Birth, received_ms: int, batch: int) -> bool:
    """Store a birth and its new series; False when it was known."""
    names = list(birth.series)
    specs = [birth.series[name] for name in names]
    identities = [spec.identity() for spec in specs]
    connection.execute(
        statement(_SQL, "series_add.sql"),
        {
            "gateway": birth.gateway,
            "batch": batch,
            "identities": identities,
            "devices": [text(spec.device) for spec in specs],
            "quantities": [spec.quantity for spec in specs],
            "units": [text(spec.unit) for spec in specs],
            "kinds": [str(spec.kind) for spec in specs],
            "carriers": [None if spec.carrier is None else str(spec.carrier) for spec in specs],
            "meters": [None if spec.meter is None else text(spec.meter) for spec in specs],
            "decimals": [spec.decimals for spec in specs],
            "ranges": [spec.range for spec in specs],
        },
    )
    added = connection.execute(
        statement(_SQL, "birth_add.sql"),
        {
            "gateway": birth.gateway,
            "digest": birth.digest(),
            "agent": text(birth.agent),
            "enterprise": None if birth.enterprise is None else text(birth.enterprise),
            "body": birth.encode().decode(),
            "received_ms": received_ms,
            "batch": batch,
        },
    ).fetchone()
    if added is None:
        return False
    claims = [spec.claimed_ratio for spec in specs]
    connection.execute(
        statement(_SQL, "birth_series_add.sql"),
        {
            "birth_id": added[0],
            "gateway": birth.gateway,
            "names": names,
            "identities": identities,
            "intervals_ms": [spec.interval_ms for spec in specs],
            "claimed_pts": [None if claim is None else claim.pt for claim in claims],
            "claimed_cts": [None if claim is None else claim.ct for claim in claims],
            "rated_maxima": [spec.rated_max for spec in specs],
        },
    )
    return True
