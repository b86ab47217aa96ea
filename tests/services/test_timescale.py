from __future__ import annotations

import json
from importlib.resources import files

import psycopg
import pytest

from tests.services import timescale as module
from tests.services.timescale import Timescale
from tests.warehouse.sink.feed import eventually


def test_the_version_is_that_of_the_package_file() -> None:
    package = json.loads((files(module) / "package.json").read_text("utf-8"))
    assert list(package["dependencies"].values()) == [module.VERSION]


def test_it_is_postgresql_with_timescaledb(timescale: Timescale, timescale_database: str) -> None:
    assert timescale.version().startswith("17.")
    with psycopg.connect(timescale_database, autocommit=True) as connection:
        connection.execute("create extension if not exists timescaledb")
        found = connection.execute("select extversion from pg_extension where extname = 'timescaledb'").fetchone()
        assert found is not None
        assert found[0].startswith("2.")


@pytest.mark.parametrize("form", ["text", "binary"])
def test_it_takes_copy_and_keeps_connections_apart(timescale_database: str, form: str) -> None:
    with psycopg.connect(timescale_database) as one, psycopg.connect(timescale_database, autocommit=True) as other:
        one.execute("create schema kept")
        one.execute("create table kept.row (a int8 primary key, b text)")
        with one.cursor() as cursor, cursor.copy(f"copy kept.row from stdin (format {form})".encode()) as copy:
            copy.set_types(["int8", "text"])
            for number in range(1_000):
                copy.write_row((number, f"b{number}"))
        one.commit()
        for connection in (one, other):
            for _ in range(7):
                # Repeated, so that both prepare it under the name that psycopg gives it.
                assert connection.execute("select b from kept.row where a = %s", (7,)).fetchone() == ("b7",)
            connection.commit()
        with (
            pytest.raises(psycopg.errors.UniqueViolation),
            one.cursor() as cursor,
            cursor.copy(b"copy kept.row from stdin") as copy,
        ):
            copy.write_row((7, "again"))
        one.rollback()
        assert other.execute("select count(*) from kept.row").fetchone() == (1_000,)


def test_a_connection_that_ends_in_a_transaction_is_rolled_back(timescale_database: str) -> None:
    with psycopg.connect(timescale_database) as one:
        one.execute("create schema gone")
        one.close()
    with psycopg.connect(timescale_database) as other:
        assert other.execute("select to_regnamespace('gone')").fetchone() == (None,)


def test_what_a_session_leaves_is_everybodys_until_the_last_one_ends(timescale_database: str) -> None:
    """One backend serves all: temporary tables and settings are seen by others, unlike on any real server."""
    with psycopg.connect(timescale_database, autocommit=True) as one:
        one.execute("create temporary table left_behind (a int4)")
        one.execute("set timezone = 'Asia/Shanghai'")
        with psycopg.connect(timescale_database, autocommit=True) as other:
            assert other.execute("select count(*) from left_behind").fetchone() == (0,)
            assert other.execute("select current_setting('timezone')").fetchone() == ("Asia/Shanghai",)

    def all_is_gone() -> bool:
        """The server may hear of the last end only after the next beginning."""
        with psycopg.connect(timescale_database, autocommit=True) as later:
            found = later.execute("select to_regclass('left_behind'), current_setting('timezone') = 'Asia/Shanghai'")
            return found.fetchone() == (None, False)

    eventually(all_is_gone)


def test_statements_that_one_connection_forgets_stay_prepared_for_the_others(timescale_database: str) -> None:
    with (
        psycopg.connect(timescale_database, autocommit=True) as one,
        psycopg.connect(timescale_database, autocommit=True) as other,
    ):
        for _ in range(7):
            for connection in (one, other):
                assert connection.execute("select %s::int4 + 1", (1,)).fetchone() == (2,)
        # After a DROP psycopg forgets everything that it had prepared.
        one.execute("drop table if exists pg_temp.nothing")
        for _ in range(7):
            for connection in (one, other):
                assert connection.execute("select %s::int4 + 1", (1,)).fetchone() == (2,)


def test_it_has_one_user(timescale: Timescale, timescale_database: str) -> None:
    """So who may see what is tested elsewhere."""
    with psycopg.connect(timescale.dsn.replace("postgres:none", "somebody:else"), autocommit=True) as connection:
        assert connection.execute("select session_user").fetchone() == ("postgres",)
