"""Two parks with enterprises, meters, gateways, accounts and figures, and roles that may see parts of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Placeholder

from warehouse.access.kinds import Asked, Kind
from warehouse.access.roles import grant, listing
from warehouse.postgres import Connection, connect
from warehouse.registry.uscc import check_character

SINCE = date(2024, 1, 1)
PASSWORD = "a password of the tests"
SECRET = "7654321.25"
"""Energy of every row of the other park: a number that stands nowhere else."""
KINDS = (Kind.PARK, Kind.ENTERPRISE, Kind.DISTRICT, Kind.STATISTICS, Kind.AUDITOR)


def code(number: int) -> str:
    """A valid 统一社会信用代码."""
    first = f"91310117MA9{number:06}"
    return first + check_character(first)


ALPHA = [code(number) for number in range(3)]
BRAVO = [code(100 + number) for number in range(3)]
SILENT = code(200)
"""In the first park, and has never consented to anything."""
OTHERS = ("bravo", SECRET, *BRAVO)
"""What the first park's role must never read, in whatever form it comes."""


@dataclass
class World:
    """A database with both parks, and how each role logs in."""

    dsn: str
    conn: Connection
    roles: dict[str, str] = field(default_factory=dict)

    def run(self, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        cursor = self.conn.execute(query.encode(), parameters)
        return cursor.fetchall() if cursor.description else []

    def number(self, query: str, parameters: Any = None) -> int:
        return int(self.run(query, parameters)[0][0])

    def grant(self, name: str, kind: Kind, *, areas: tuple[str, ...] = (), uscc: str | None = None) -> str:
        self.roles[name] = grant(self.conn, Asked(kind, areas, uscc), PASSWORD, None).role
        return self.roles[name]

    def login(self, name: str, options: str = "") -> str:
        return make_conninfo(self.dsn, user=self.roles[name], password=PASSWORD, options=options)

    @contextmanager
    def session(self, name: str, options: str = "") -> Iterator[Connection]:
        with connect(self.login(name, options), application="tests") as connection:
            yield connection

    def seen(self, name: str, query: str) -> list[tuple[Any, ...]]:
        with self.session(name) as connection:
            return connection.execute(query.encode()).fetchall()

    def look(self, name: str, view: str, columns: str = "count(*)", **where: Any) -> list[tuple[Any, ...]]:
        """What a role sees in a view of ``look``, of the rows that are equal in ``where``, in order."""
        conditions = [SQL("{} = {}").format(Identifier(column), Placeholder(column)) for column in where]
        query = SQL("SELECT {} FROM {} WHERE {}").format(
            SQL(columns), Identifier("look", view), SQL(" AND ").join([SQL("true"), *conditions])
        )
        with self.session(name) as connection:
            return sorted(connection.execute(query, where).fetchall(), key=str)

    def end(self) -> None:
        """Drop the roles, which belong to the whole server and not to the database."""
        for role in {*self.roles.values(), *(found.role for found in listing(self.conn))}:
            if self.run("SELECT FROM pg_roles WHERE rolname = %s", [role]):
                for command in ("DROP OWNED BY {}", "DROP ROLE {}"):
                    self.conn.execute(SQL(command).format(Identifier(role)))

    # What there is -------------------------------------------------------------------------------------------------

    def fact(self, table: str, **columns: Any) -> None:
        """Insert a dated row of the registry."""
        given = {"legal_basis": "administrative", "source": "synthetic"} | columns
        self.conn.execute(
            SQL("INSERT INTO {} ({}) VALUES ({})").format(
                Identifier("registry", table),
                SQL(", ").join(map(Identifier, given)),
                SQL(", ").join(map(Placeholder, given)),
            ),
            given,
        )

    def area(self, area: str, kind: str = "park", parent: str | None = None) -> None:
        self.run("INSERT INTO registry.area VALUES (%s, %s) ON CONFLICT DO NOTHING", [area, kind])
        self.fact("area_attribute", area=area, valid_from=SINCE, name_zh=f"{area}园", parent=parent)

    def enterprise(self, uscc: str, name: str, area: str | None, *, consents: tuple[str, ...] = ()) -> None:
        self.run("INSERT INTO registry.enterprise VALUES (%s) ON CONFLICT DO NOTHING", [uscc])
        self.fact("enterprise_attribute", uscc=uscc, valid_from=SINCE, name=name, size="small")
        if area is not None:
            self.fact("enterprise_area", uscc=uscc, area=area, valid_from=SINCE)
        for purpose in consents:
            self.consent(uscc, purpose)

    def consent(self, uscc: str, purpose: str, since: date = SINCE, until: date | None = None) -> None:
        self.fact(
            "consent",
            uscc=uscc,
            purpose=purpose,
            valid_from=since,
            valid_to=until,
            document="d",
            legal_basis="consented",
        )

    def holder(self, uscc: str, *areas: str) -> int:
        return self.number(
            "INSERT INTO energy.holder (uscc, areas) VALUES (%s, %s) RETURNING holder_id", [uscc, sorted(areas)]
        )

    def meter(self, serial: str, uscc: str, role: str = "boundary") -> int:
        number = self.number(
            "INSERT INTO registry.meter (serial, carrier, unit) VALUES (%s, 'electricity', 'kWh') RETURNING meter_id",
            [serial],
        )
        self.fact(
            "meter_placement", meter_id=number, uscc=uscc, role=role, name=f"meter {serial}", valid_from=at(SINCE)
        )
        return number

    def day(self, meter: int, holder: int, day: date, energy: str) -> None:
        """Account a day, with its month, one hour and one quarter-hour."""
        of = {"meter": meter, "holder": holder, "day": day, "energy": energy, "start": at(day) + timedelta(hours=8)}
        self.run(
            "INSERT INTO energy.day (meter_id, feed_in, day, holder_id, energy, measured, estimated, unknown)"
            " VALUES (%(meter)s, false, %(day)s, %(holder)s, %(energy)s, 96, 0, 0)",
            of,
        )
        self.run(
            "INSERT INTO energy.month (meter_id, feed_in, month, holder_id, energy, measured, estimated, unknown)"
            " VALUES (%(meter)s, false, date_trunc('month', %(day)s::date), %(holder)s, %(energy)s, 96, 0, 0)"
            " ON CONFLICT (meter_id, feed_in, month, holder_id) DO UPDATE"
            " SET energy = month.energy + excluded.energy, measured = month.measured + excluded.measured",
            of,
        )
        self.run(
            "INSERT INTO energy.hour (meter_id, feed_in, start, holder_id, energy, measured, estimated, unknown)"
            " VALUES (%(meter)s, false, %(start)s, %(holder)s, %(energy)s, 4, 0, 0)",
            of,
        )
        self.run(
            "INSERT INTO energy.quarter (meter_id, feed_in, start, holder_id, energy, quality)"
            " VALUES (%(meter)s, false, %(start)s, %(holder)s, %(energy)s, 'measured')",
            of,
        )

    def gateway(self, gateway: str, uscc: str, since: date = SINCE, until: date | None = None) -> None:
        self.fact(
            "gateway_binding",
            gateway=gateway,
            uscc=uscc,
            valid_from=at(since),
            valid_to=None if until is None else at(until),
        )

    def series(self, gateway: str, device: str) -> int:
        birth = self.number(
            "INSERT INTO ingest.birth (gateway, digest, agent, body, received_at, batch)"
            " VALUES (%s, gen_random_uuid()::text, 'agent', '', now(), 0) RETURNING birth_id",
            [gateway],
        )
        self.run("INSERT INTO ingest.birth_said (gateway, birth_id, said_at) VALUES (%s, %s, now())", [gateway, birth])
        series = self.number(
            "INSERT INTO ingest.series (gateway, identity, device, quantity, unit, kind, batch)"
            " VALUES (%s, gen_random_uuid()::text, %s, 'power', 'kW', 'gauge', 0) RETURNING series_id",
            [gateway, device],
        )
        self.run(
            "INSERT INTO ingest.birth_series (birth_id, name, series_id, interval_ms) VALUES (%s, 'p', %s, 60000)",
            [birth, series],
        )
        return series

    def reading(self, series: int, t: datetime, value: str) -> None:
        self.run("SELECT ingest.ensure_month(%s::date)", [t.date().replace(day=1)])
        self.run("INSERT INTO ingest.reading_gauge VALUES (%s, %s, %s, 0, 0)", [series, t, value])

    def evidence(self, digest: str, members: list[tuple[str, str]]) -> None:
        """One result of the district whose members have these legal bases."""
        self.run(
            "INSERT INTO indicator.evidence_set (evidence_digest, members) VALUES (%s, %s)", [digest, len(members)]
        )
        for member, basis in members:
            self.run(
                "INSERT INTO indicator.evidence"
                " (evidence_digest, member, counted, reason, detail, source, legal_basis)"
                " VALUES (%s, %s, 'numerator', 'qualified', '{}', 's', %s)",
                [digest, member, basis],
            )

    def observation(self, subject: str, value: str, basis: str, *, region: bool) -> None:
        self.run(
            "INSERT INTO stats.observation (variable, subject, region, uscc, period_type, period, period_start,"
            " period_end, value, unit, scope, price_basis, vintage, published_at, legal_basis, source)"
            " VALUES ('output', %(subject)s, %(region)s, %(uscc)s, 'year', '2024', '2024-01-01', '2025-01-01',"
            " %(value)s, '10k_cny', 'enterprise', 'current', 'annual', '2025-03-01', %(basis)s, 's')",
            {
                "subject": subject,
                "region": subject if region else None,
                "uscc": None if region else subject,
                "value": value,
                "basis": basis,
            },
        )


def at(day: date) -> datetime:
    """Midnight of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)


def fill(world: World) -> None:
    """Build both parks."""
    world.area("the-district", "district")
    for park, codes, energy in (("alpha-park", ALPHA, "10.5"), ("bravo-park", BRAVO, SECRET)):
        world.area(park, parent="the-district")
        stem = park.removesuffix("-park")
        for number, uscc in enumerate(codes):
            world.enterprise(uscc, f"{stem} works {number}", park, consents=("park_view", "statistics"))
            meter, holder = world.meter(f"{stem}-meter-{number}", uscc), world.holder(uscc, park)
            for day in (date(2025, 3, 1), date(2025, 3, 2)):
                world.day(meter, holder, day, energy)
            gateway = f"{stem}-gateway-{number}"
            world.gateway(gateway, uscc)
            world.run(
                'INSERT INTO ingest.gateway_state (gateway, online, sources, received_at, retained, "offset", batch)'
                " VALUES (%s, true, '{}', now(), false, 0, 0)",
                [gateway],
            )
            series = world.series(gateway, f"{stem}-device-{number}")
            world.reading(series, at(date(2025, 3, 1)), energy)
            world.run(
                "INSERT INTO ingest.completeness VALUES (%s, '2025-03-01', 96, 90, 0, 0, 0, 0, 0, now())", [series]
            )
            ledger = world.number(
                "INSERT INTO ingest.ledger (gateway, epoch, settled) VALUES (%s, 1, '{[1,5),[7,9)}')"
                " RETURNING ledger_id",
                [gateway],
            )
            world.run(
                "INSERT INTO ingest.hole (ledger_id, seqs, state, seen_at) VALUES (%s, '[5,7)', 'open', now())",
                [ledger],
            )
            world.observation(uscc, energy, "statistical", region=False)
        world.observation(park, energy, "published", region=True)
    world.enterprise(SILENT, "silent works", "alpha-park")
    world.day(world.meter("silent-meter", SILENT), world.holder(SILENT, "alpha-park"), date(2025, 3, 1), "99.5")
    world.evidence("0" * 32, [(ALPHA[0], "statistical"), (ALPHA[1], "consented"), (BRAVO[0], "consented")])


def grant_all(world: World) -> None:
    """Make a role of each kind, and one for the other park."""
    world.grant("park", Kind.PARK, areas=("alpha-park",))
    world.grant("other", Kind.PARK, areas=("bravo-park",))
    world.grant("enterprise", Kind.ENTERPRISE, uscc=ALPHA[0])
    world.grant("district", Kind.DISTRICT)
    world.grant("statistics", Kind.STATISTICS)
    world.grant("auditor", Kind.AUDITOR)
    world.grant("api", Kind.API)
