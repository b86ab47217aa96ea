"""The API's role sees what it says for one transaction, and nobody else can say anything."""

from __future__ import annotations

import psycopg
import pytest

from tests.warehouse.access.world import ALPHA, KINDS, World
from warehouse.access.kinds import Kind
from warehouse.people.scope import scope_of
from warehouse.postgres import Connection

DAYS = "SELECT count(*), count(DISTINCT uscc) FROM look.day"


def assume(api: Connection, kind: str, who: str, areas: list[str] | None = None, uscc: str | None = None) -> None:
    scope_of(kind, areas, uscc).assume(api, who)


def park(api: Connection) -> None:
    assume(api, "park", "li.wei", ["alpha-park"])


def test_it_sees_nothing_until_it_says_for_whom(world: World) -> None:
    with world.session("api") as api:
        assert api.execute("SELECT count(*) FROM look.scope").fetchone() == (0,)
        assert api.execute(DAYS.encode()).fetchone() == (0, 0)
        assert api.execute("SELECT count(*) FROM look.area").fetchone() == (0,)
        assert api.execute("SELECT count(*) FROM published.park_month").fetchone() == (0,)


def test_what_it_says_holds_for_the_transaction(world: World) -> None:
    with world.session("api") as api:
        with api.transaction():
            park(api)
            assert api.execute("SELECT kind, areas, acting_user FROM look.scope").fetchone() == (
                "park",
                ["alpha-park"],
                "li.wei",
            )
            assert api.execute(DAYS.encode()).fetchone() == (6, 3)
        assert api.execute(DAYS.encode()).fetchone() == (0, 0)
        with api.transaction():
            assume(api, "enterprise", "wang", uscc=ALPHA[0])
            assert api.execute(DAYS.encode()).fetchone() == (2, 1)
            assume(api, "district", "chen")
            assert api.execute(DAYS.encode()).fetchone() == (12, 6)
        assert api.execute(DAYS.encode()).fetchone() == (0, 0)


def test_what_is_rolled_back_was_never_said(world: World) -> None:
    with world.session("api") as api, api.transaction():
        park(api)
        with api.transaction(force_rollback=True):
            assume(api, "district", "chen")
        assert api.execute(DAYS.encode()).fetchone() == (6, 3)


def test_a_setting_that_outlives_its_transaction_holds_nothing(world: World) -> None:
    """A mistake of the API's (SET in a pooled session) shows nobody what somebody else may see."""
    with world.session("api") as api:
        with api.transaction():
            park(api)
            said = api.execute("SELECT current_setting('g60.scope')").fetchone()
            assert said is not None
            api.execute("SELECT set_config('g60.scope', %s, false)", said)
            assert api.execute(DAYS.encode()).fetchone() == (6, 3)
        assert api.execute("SELECT current_setting('g60.scope')").fetchone() == said
        assert api.execute(DAYS.encode()).fetchone() == (0, 0)


def test_it_never_acts_as_the_statistics_role(world: World) -> None:
    with world.session("api") as api:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.execute("SELECT access.assume('statistics', 'li')")
        with api.transaction():
            api.execute(
                "SELECT set_config('g60.scope', jsonb_build_object("
                "'transaction', extract(epoch FROM now())::text, 'kind', 'statistics', 'user', 'li')::text, true)"
            )
            assert api.execute("SELECT count(*) FROM look.scope").fetchone() == (0,)


@pytest.mark.parametrize(
    "wrong", ["'park', 'li'", "'enterprise', 'li'", "'district', NULL", "'district', 'li', ARRAY['alpha-park']"]
)
def test_a_scope_that_is_none_is_refused(world: World, wrong: str) -> None:
    with world.session("api") as api, pytest.raises(psycopg.errors.InvalidParameterValue):
        api.execute(f"SELECT access.assume({wrong})".encode())


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_else_can_say_it_however_it_is_spelt(world: World, kind: Kind) -> None:
    """The very words that hold for the API's role, said by any other in the same way."""
    words = (
        "SELECT set_config('g60.scope', jsonb_build_object('transaction', extract(epoch FROM now())::text,"
        " 'kind', 'district', 'user', 'me')::text, true)"
    )
    with world.session("api") as api, api.transaction():
        api.execute(words.encode())
        assert api.execute(DAYS.encode()).fetchone() == (12, 6)
    with world.session(kind.value) as connection, connection.transaction():
        before = connection.execute("TABLE look.scope").fetchall()
        rows = connection.execute(DAYS.encode()).fetchone()
        connection.execute(words.encode())
        assert connection.execute("TABLE look.scope").fetchall() == before
        assert connection.execute(DAYS.encode()).fetchone() == rows


def test_nothing_that_is_said_makes_an_error_for_others(world: World) -> None:
    with world.session("park") as connection:
        connection.execute("SET g60.scope = 'no json at all'")
        assert connection.execute(DAYS.encode()).fetchone() == (6, 3)


def test_an_ended_grant_ends_in_open_transactions_too(own_world: World) -> None:
    with own_world.session("park") as open_session, open_session.transaction():
        assert open_session.execute(DAYS.encode()).fetchone() == (6, 3)
        own_world.run(
            "UPDATE access.grantee SET valid_to = statement_timestamp() WHERE role_name = %s", [own_world.roles["park"]]
        )
        assert open_session.execute(DAYS.encode()).fetchone() == (0, 0)
        assert open_session.execute("SELECT count(*) FROM look.indicator").fetchone() == (0,)
