"""The views give the same answers on TimescaleDB. Only its superuser can ask there: the grants are given to it."""

from __future__ import annotations

import pytest
from psycopg.sql import SQL, Identifier

from tests.warehouse.access.world import World, fill
from warehouse.migrate import Flavour, migrate
from warehouse.postgres import connect

SCOPES = (("park", "{alpha-park}"), ("district", None), ("auditor", None), ("statistics", None))


@pytest.mark.slow
def test_every_view_gives_as_much_on_both_flavours(warehouse: str, timescale_database: str) -> None:
    seen = []
    for dsn, flavour in ((warehouse, Flavour.PLAIN), (timescale_database, Flavour.TIMESCALE)):
        with connect(dsn, application="tests") as connection:
            migrate(connection, flavour)
            world = World(dsn, connection)
            fill(world)
            views = world.run(
                "SELECT table_schema, table_name FROM information_schema.views"
                " WHERE table_schema IN ('look', 'published', 'audit') ORDER BY 1, 2"
            )
            found: dict[tuple[str, str, str], int] = {}
            for kind, areas in SCOPES:
                world.run("UPDATE access.grantee SET valid_to = now() WHERE valid_to IS NULL")
                world.run(
                    "INSERT INTO access.grantee (role_name, kind, areas) VALUES (session_user, %s, %s)", [kind, areas]
                )
                for view in views:
                    row = connection.execute(SQL("SELECT count(*) FROM {}").format(Identifier(*view))).fetchone()
                    assert row is not None
                    found[kind, view[0], view[1]] = row[0]
            seen.append(found)
    plain, timescale = seen
    assert plain == timescale
    assert (plain["park", "look", "day"], plain["district", "look", "day"]) == (6, 12)
    assert (plain["auditor", "look", "quarter"], plain["park", "audit", "access_grantee"]) == (13, 0)
