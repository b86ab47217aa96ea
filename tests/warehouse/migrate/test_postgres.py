"""psycopg's errors say who has to act."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from psycopg import errors

from edge_agent.contract.errors import Misconfigured, PulseError, Retryable
from tests.services.plugin import MakePostgres
from tests.warehouse.sink.feed import eventually
from warehouse.postgres import LimitReached, connect, text, translate, translated

LOUD = "a mistake of ours"
# What each class of SQLSTATE means to us, and the states that are apart from their class.
CLASSES: dict[str, type[PulseError] | str] = {
    "08": Retryable,
    "28": Misconfigured,
    "40": Retryable,
    "53": Retryable,
    "57": Retryable,
    "58": Retryable,
    **dict.fromkeys(["02", "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23", "24"], LOUD),
    **dict.fromkeys(["25", "26", "27", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "42", "44", "54"], LOUD),
    **dict.fromkeys(["55", "72", "F0", "HV", "P0", "XX"], LOUD),
}
APART: dict[str, type[PulseError]] = {
    "25006": Retryable,
    "3D000": Misconfigured,
    "42501": Misconfigured,
    "53400": LimitReached,
    "55P03": Retryable,
}


def states() -> list[str]:
    kinds = vars(errors).values()
    found = {kind.sqlstate for kind in kinds if isinstance(kind, type) and issubclass(kind, psycopg.Error)}
    return sorted(state for state in found if state)


@pytest.mark.parametrize("state", states())
def test_every_sqlstate_has_its_meaning(state: str) -> None:
    expected = APART.get(state, CLASSES[state[:2]])
    found = translate(errors.lookup(state)("told"))
    assert (LOUD if found is None else type(found)) == expected


def test_a_broken_connection_is_retryable_and_a_misuse_is_not() -> None:
    assert type(translate(psycopg.OperationalError("the connection is closed"))) is Retryable
    assert translate(psycopg.InterfaceError("misuse")) is None
    assert translate(psycopg.ProgrammingError("misuse")) is None


def test_a_limit_is_not_to_be_retried() -> None:
    assert not issubclass(LimitReached, Retryable)


def test_nobody_there_is_retryable(own_postgres: MakePostgres) -> None:
    server = own_postgres()
    with closing(connect(server.dsn, application="test")) as connection:
        server.kill()

        def gone() -> bool:
            """The process of a connection outlives the server for a moment, and still answers."""
            try:
                with translated():
                    connection.execute("select 1")
            except Retryable:
                return True
            return False

        eventually(gone, within_s=60.0)
    with pytest.raises(Retryable):
        connect(server.dsn, application="test")


def test_an_address_that_cannot_be_read_is_told() -> None:
    with pytest.raises(Misconfigured, match="数据库地址有误"):
        connect("host=x nonsense", application="test")


def test_a_mistake_of_ours_stays_loud(database: str) -> None:
    with connect(database, application="test") as connection:
        with pytest.raises(psycopg.errors.UndefinedTable), translated():
            connection.execute("select * from nothing")
        assert connection.execute(
            "select current_setting('application_name'), current_setting('timezone')"
        ).fetchone() == (
            "test",
            "UTC",
        )


def test_texts_are_kept_as_far_as_postgresql_can(database: str) -> None:
    with connect(database, application="test") as connection:
        for found, kept in (("a\0b", "a\\0b"), ("\ud800", "\\ud800"), ("松江", "松江")):
            assert connection.execute("select %s::text", (text(found),)).fetchone() == (kept,)
