"""Roles by the command line: made, listed, renewed, ended; and what they are given."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from edge_agent.contract.errors import Misconfigured
from tests.warehouse.access.world import ALPHA, PASSWORD, SINCE, World, at
from tests.warehouse.sink.feed import T0, Log, birth, sink, telemetry, write
from warehouse.access.kinds import MAY, SERVICES, Asked, Kind, own_name
from warehouse.backup.archive import read
from warehouse.backup.run import backup
from warehouse.cli import cli
from warehouse.jobs.work import WORK
from warehouse.postgres import connect
from warehouse.registry.uscc import check_character


class Shell:
    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["access", *arguments, "--database", self.world.dsn])

    def made(self, *arguments: str) -> tuple[str, str]:
        """Grant; the role and its password."""
        done = self("grant", *arguments)
        assert done.exit_code == 0, done.output
        first, second = done.output.splitlines()
        return first.split(":")[0], second.rsplit(": ", 1)[1]

    def login(self, role: str, password: str) -> str:
        return make_conninfo(self.world.dsn, user=role, password=password)


@pytest.fixture
def shell(own_world: World) -> Shell:
    return Shell(own_world)


def test_a_park_gets_its_log_in_and_loses_it(shell: Shell) -> None:
    role, password = shell.made("--kind", "park", "--area", "alpha-park", "--reason", "letter 7")
    assert role.endswith("_park_3")
    with connect(shell.login(role, password), application="tests") as connection:
        assert connection.execute("SELECT areas FROM look.scope").fetchone() == (["alpha-park"],)
        assert connection.execute("SELECT count(*) FROM day").fetchone() == (6,)
        listed = shell("list").output
        assert any(line.startswith(role) and "letter 7" in line for line in listed.splitlines())
        done = shell("revoke", role)
        assert (done.exit_code, "gone" in done.output) == (0, True)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError), closing(psycopg.connect(shell.login(role, password))):
        pass
    assert role not in shell("list").output
    assert role in shell("list", "--ended").output
    assert shell("revoke", role).exit_code == 1
    again, _ = shell.made("--kind", "park", "--area", "alpha-park")
    assert again.endswith("_park_4"), "a name is never used for somebody else"


def test_a_password_comes_from_a_file_and_stands_in_no_output(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", "utf-8")
    done = shell(
        "grant", "--kind", "district", "--role", f"r_{shell.world.conn.info.dbname}", "--password-file", str(file)
    )
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    role = f"r_{shell.world.conn.info.dbname}"
    shell.world.roles["named"] = role
    assert shell.world.seen("named", "SELECT kind FROM look.scope") == [("district",)]
    changed = shell("password", role)
    assert changed.exit_code == 0
    with connect(shell.login(role, changed.output.rsplit(": ", 1)[1].strip()), application="tests"):
        pass
    file.write_text("short", "utf-8")
    assert shell("password", role, "--password-file", str(file)).exit_code == 1
    stored = shell.world.run("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role])
    assert stored[0][0].startswith("SCRAM-SHA-256$")


def test_a_grant_may_end_by_itself(shell: Shell) -> None:
    tomorrow = shell.world.run("SELECT access.today() + 1")[0][0]
    role, _ = shell.made("--kind", "district", "--until", str(tomorrow))
    assert shell.world.run("SELECT valid_to FROM access.grantee WHERE role_name = %s", [role]) == [(at(tomorrow),)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--kind", "park"), "--area"),
        (("--kind", "district", "--area", "alpha-park"), "--area"),
        (("--kind", "enterprise"), "--enterprise"),
        (("--kind", "park", "--area", "nowhere"), "no area nowhere"),
        (
            ("--kind", "enterprise", "--enterprise", f"91310117MA9999999{check_character('91310117MA9999999')}"),
            "no enterp",
        ),
        (("--kind", "park", "--area", "alpha-park", "--role", "the_alpha_park"), "seen by every role"),
        (("--kind", "enterprise", "--enterprise", ALPHA[0], "--role", f"x{ALPHA[0].lower()}"), "seen by every role"),
        (("--kind", "district", "--role", "pg_reader"), "begins with a letter"),
        (("--kind", "district", "--role", 'x"; DROP ROLE y'), "begins with a letter"),
    ],
)
def test_a_grant_that_cannot_be_is_refused_and_leaves_nothing(
    world: World, arguments: tuple[str, ...], told: str
) -> None:
    here = (
        "SELECT rolname FROM pg_roles WHERE starts_with(rolname, current_database()) OR rolname = 'the_alpha_park'"
        " UNION ALL SELECT role_name FROM access.grantee"
    )
    before = sorted(world.run(here))
    done = Shell(world)("grant", *arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert sorted(world.run(here)) == before


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    done = Shell(world)("grant", "--kind", "district", "--role", world.roles["park"])
    assert done.exit_code == 1
    assert "exists already" in done.output


def test_what_is_wrong_with_a_role_is_said(shell: Shell) -> None:
    assert shell("list").exit_code == 0
    world = shell.world
    world.conn.execute(SQL("ALTER ROLE {} CREATEDB").format(Identifier(world.roles["park"])))
    world.conn.execute(SQL("GRANT pg_read_all_data TO {}").format(Identifier(world.roles["district"])))
    world.conn.execute(SQL("ALTER ROLE {} NOLOGIN").format(Identifier(world.roles["other"])))
    done = shell("list")
    assert done.exit_code == 1
    for words in ("has powers over the server", "is a member of other roles", "may not log in"):
        assert words in done.output


def test_roles_come_back_where_a_dump_was_restored(shell: Shell) -> None:
    world = shell.world
    role = world.roles.pop("district")
    for command in ("DROP OWNED BY {}", "DROP ROLE {}"):
        world.conn.execute(SQL(command).format(Identifier(role)))
    assert "no such role" in shell("list").output
    done = shell("renew")
    assert done.exit_code == 0, done.output
    assert f"access password {role}" in done.output
    password = shell("password", role).output.rsplit(": ", 1)[1].strip()
    with connect(shell.login(role, password), application="tests") as connection:
        assert connection.execute("SELECT kind FROM look.scope").fetchone() == ("district",)


def test_grants_are_never_rewritten(own_world: World) -> None:
    for query in (
        "DELETE FROM access.grantee",
        "UPDATE access.grantee SET kind = 'district' WHERE kind = 'statistics'",
        "UPDATE access.grantee SET areas = '{bravo-park}' WHERE areas = '{alpha-park}'",
    ):
        with pytest.raises(psycopg.errors.IntegrityError):
            own_world.run(query)


def test_every_kind_says_what_it_may(world: World) -> None:
    done = CliRunner().invoke(cli, ["access", "roles"])
    assert done.exit_code == 0
    assert set(MAY) == set(Kind)
    for kind in Kind:
        assert any(line.startswith(f"{kind} ") for line in done.output.splitlines())


def test_our_names_tell_database_and_kind() -> None:
    assert own_name("g60", Kind.PARK, 1) == "g60_park_1"
    assert own_name("3-Kreis.Übung", Kind.SINK, 2) == "kreis__bung_sink_2"
    with pytest.raises(Misconfigured):
        Asked(Kind.PARK, (), None, None)


# Services ------------------------------------------------------------------------------------------------------------


def test_the_sink_and_the_jobs_do_their_work_and_read_nothing_else(own_world: World) -> None:
    world = own_world
    for kind in (Kind.SINK, Kind.JOBS):
        world.grant(kind.value, kind)
    log, of = Log(), birth()
    with sink(world.login("sink")) as store:
        write(store, log.birth(of), log.message(telemetry(of, 1, {"p": [(T0, 1)]})))
    assert world.number("SELECT count(*) FROM ingest.ledger WHERE epoch > 1 OR settled = '{[1,2)}'") == 1
    with world.session("jobs") as connection:
        for job in WORK.values():
            assert job(connection, at(SINCE) + timedelta(days=1), lambda: True)
    for name, secret in (("sink", "registry.consent"), ("sink", "energy.day"), ("jobs", "people.person")):
        with world.session(name) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SELECT * FROM {secret}".encode())  # noqa: S608
    for name in ("sink", "jobs"):
        with world.session(name) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE registry.consent SET valid_to = NULL")


def test_services_get_what_their_kind_says_and_no_more(own_world: World) -> None:
    for kind, rights in SERVICES.items():
        if kind is not Kind.API:
            own_world.grant(kind.value, kind)
        role = own_world.roles[kind.value]
        written = own_world.run(
            "SELECT DISTINCT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema)'"
            " AND has_table_privilege(%s, c.oid, 'INSERT, UPDATE, DELETE')",
            [role],
        )
        assert {schema for (schema,) in written} <= {right.schema for right in rights if "INSERT" in right.privileges}
        may = own_world.run("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s", [role])
        assert may == [(False, False, False)]
    with own_world.session("backup") as connection:
        assert connection.execute("SELECT count(*) > 0 FROM energy.day").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM energy.day")


def test_a_role_of_kind_backup_makes_a_backup(own_world: World, tmp_path: Path) -> None:
    own_world.grant("backup", Kind.BACKUP)
    backup(own_world.login("backup"), tmp_path / "b")
    assert read(tmp_path / "b").figures.tables["energy.day"].rows == own_world.number("SELECT count(*) FROM energy.day")
