"""PostgreSQL: passwords are asked for, and what was committed is there after a restart."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from deploy.local import account
from deploy.local.postgres import OWNER, Postgres
from deploy.local.process import NotUp
from tests.services.plugin import MakePostgres, fresh_database, make_postgres
from tests.services.waiting import until


def _insert(postgres: Postgres, value: int) -> None:
    with psycopg.connect(postgres.dsn) as connection:
        connection.execute("create table if not exists public.kept (v int8 not null)")
        connection.execute("insert into public.kept values (%s)", [value])


def _values(postgres: Postgres) -> list[int]:
    with psycopg.connect(postgres.dsn) as connection:
        return [row[0] for row in connection.execute("select v from public.kept order by v")]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_commits_are_there_after_a_restart(own_postgres: MakePostgres, end: str) -> None:
    postgres = own_postgres()
    _insert(postgres, 1)
    with psycopg.connect(postgres.dsn) as busy:
        # A session that works when the postmaster dies lives on for a moment and holds the shared memory.
        busy.execute("insert into public.kept values (99)")
        (postgres.stop if end == "stop" else postgres.kill)()
        assert not postgres.running()
        assert not postgres.healthy()
        postgres.start()
        with pytest.raises(psycopg.OperationalError):
            busy.execute("select 1")
    _insert(postgres, 2)
    assert _values(postgres) == [1, 2]
    assert postgres.version().startswith("18.")


def test_start_waits_for_the_children_of_a_killed_postmaster(own_postgres: MakePostgres) -> None:
    postgres = own_postgres()
    with psycopg.connect(postgres.dsn, autocommit=True) as busy:
        pid = busy.info.backend_pid
        os.kill(pid, signal.SIGSTOP)  # it cannot notice that the postmaster is gone
        postgres.kill()
        try:
            with pytest.raises(NotUp, match="pre-existing shared memory block"):
                _impatient(postgres).start()
        finally:
            os.kill(pid, signal.SIGCONT)
    postgres.start()
    assert postgres.healthy()


def _impatient(postgres: Postgres) -> Postgres:
    """Return the same server, which gives up at once."""
    twin = Postgres(postgres.folder, port=postgres.port, password=postgres.password)
    twin.linger_s = 0.5
    return twin


def test_start_clears_a_lock_file_whose_pid_is_another_program(own_postgres: MakePostgres) -> None:
    postgres = own_postgres()
    _insert(postgres, 1)
    lock = postgres.data / "cluster" / "postmaster.pid"
    lines = lock.read_text().splitlines(keepends=True)
    postgres.kill()
    lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    postgres.start()
    assert _values(postgres) == [1]


def test_nobody_enters_without_the_password(own_postgres: MakePostgres) -> None:
    postgres = own_postgres()
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host="127.0.0.1", port=postgres.port, user=OWNER, dbname=OWNER, password=password)
    with psycopg.connect(postgres.dsn) as connection:
        rules = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
        listens = connection.execute(
            "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
    assert rules == [("scram-sha-256",)]
    assert listens == ("127.0.0.1", "")


def test_password_with_special_characters_and_settings_of_the_caller_hold(tmp_path: Path) -> None:
    like = make_postgres(tmp_path)
    postgres = Postgres(tmp_path, port=like.port, password="a'b:/@#%c", settings={"application_name": "it's ours"})
    postgres.start()
    try:
        with psycopg.connect(postgres.dsn) as connection:
            assert connection.execute("show application_name").fetchone() == ("it's ours",)
    finally:
        postgres.stop()


def test_a_cluster_that_was_made_half_is_made_anew(own_postgres: MakePostgres, tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert own_postgres(tmp_path).healthy()
    assert not half.exists()


def test_as_root_it_runs_as_nobody_in_a_folder_that_only_root_can_pass(own_postgres: MakePostgres) -> None:
    postgres = own_postgres()
    assert postgres.pid is not None
    status = Path(f"/proc/{postgres.pid}/status").read_text()
    uid = int(status.partition("Uid:")[2].split()[0])
    assert uid == (account.NOBODY if os.geteuid() == 0 else os.geteuid())
    assert postgres.folder.stat().st_mode & 0o777 == 0o700


def test_building_one_touches_nothing(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "new", port=1, password="x")
    assert not postgres.running()
    assert not postgres.healthy()
    postgres.stop()
    postgres.kill()
    assert list(tmp_path.iterdir()) == []


def test_dropped_database_is_gone_although_somebody_is_connected(postgres: Postgres) -> None:
    with fresh_database(postgres) as dsn:
        lingering = psycopg.connect(dsn)
        name = lingering.info.dbname
    with psycopg.connect(postgres.dsn) as admin:
        until(lambda: admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None)
    lingering.close()


def test_folders_of_servers_are_only_ours_to_read(own_postgres: MakePostgres) -> None:
    postgres = own_postgres()
    assert postgres.data.stat().st_mode & 0o777 == 0o700
