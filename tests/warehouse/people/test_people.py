"""Accounts, keys and sessions open what they should for as long as they should, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from psycopg.errors import IntegrityConstraintViolation

from edge_agent.contract.errors import Misconfigured
from metrics.cli import cli
from warehouse.access.kinds import Kind
from warehouse.people import accounts, keys, log, sessions
from warehouse.people.accounts import LOCKED, MOST_FAILURES, Duty, Locked
from warehouse.people.scope import Scope
from warehouse.postgres import Connection

PARK = Scope(Kind.PARK, ("park-lingang",))
DISTRICT = Scope(Kind.DISTRICT)
PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def person(ready: Connection, login: str = "wang.li", **more: object) -> accounts.Person:
    given = {"name": "王丽", "scope": PARK, "by": "tests", "password": PASSWORD} | more
    return accounts.add(ready, login=login, **given)  # type: ignore[arg-type]  # what differs is named by the test


def refused(statement: str, ready: Connection) -> None:
    with pytest.raises(IntegrityConstraintViolation):
        ready.execute(statement.encode())


def test_the_right_password_opens_and_a_wrong_one_or_an_unknown_name_does_not(ready: Connection) -> None:
    made = person(ready, duties=[Duty.ENTER])
    assert accounts.sign_in(ready, "wang.li", PASSWORD) == made
    assert (made.scope, made.duties, made.who) == (PARK, frozenset({Duty.ENTER}), "person:wang.li")
    assert accounts.sign_in(ready, "wang.li", PASSWORD + "!") is None
    assert accounts.sign_in(ready, "nobody", PASSWORD) is None


def test_what_is_kept_of_a_password_is_argon2id(ready: Connection) -> None:
    person(ready)
    row = ready.execute("SELECT password_hash FROM people.person").fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")
    assert PASSWORD not in row[0]


def test_too_many_wrong_passwords_lock_the_account_for_a_while_even_for_the_right_one(ready: Connection) -> None:
    made = person(ready)
    for _ in range(MOST_FAILURES):
        assert accounts.sign_in(ready, "wang.li", "wrong", NOW) is None
    with pytest.raises(Locked) as locked:
        accounts.sign_in(ready, "wang.li", PASSWORD, NOW + LOCKED - timedelta(seconds=1))
    assert locked.value.until == NOW + LOCKED
    assert accounts.sign_in(ready, "wang.li", PASSWORD, NOW + LOCKED) == made


def test_a_right_password_begins_the_count_of_wrong_ones_anew(ready: Connection) -> None:
    made = person(ready)
    for _ in range(2):
        for _ in range(MOST_FAILURES - 1):
            assert accounts.sign_in(ready, "wang.li", "wrong", NOW) is None
        assert accounts.sign_in(ready, "wang.li", PASSWORD, NOW) == made


@pytest.mark.parametrize(
    ("login", "name", "password", "words"),
    [
        ("Wang", "王丽", PASSWORD, "a login has"),
        ("", "王丽", PASSWORD, "a login has"),
        ("wang", "", PASSWORD, "a name has"),
        ("wang", "王丽", "short", "12 to 200"),
        ("wang", "王丽", "x" * 201, "12 to 200"),
        ("taken", "王丽", PASSWORD, "has an account already"),
        ("wang", "王丽", None, "a password or an identity"),
    ],
)
def test_an_account_that_is_not_clear_is_refused(
    ready: Connection, login: str, name: str, password: str | None, words: str
) -> None:
    person(ready, "taken")
    with pytest.raises(Misconfigured, match=words):
        accounts.add(ready, login=login, name=name, scope=DISTRICT, by="tests", password=password)


def test_an_enterprise_that_no_register_names_has_no_account(ready: Connection) -> None:
    scope = Scope(Kind.ENTERPRISE, uscc="91310117MA1J00014T")
    with pytest.raises(Misconfigured, match="91310117MA1J00014T"):
        person(ready, scope=scope)
    ready.execute("INSERT INTO registry.enterprise (uscc) VALUES ('91310117MA1J00014T')")
    assert person(ready, scope=scope).scope == scope


@pytest.mark.parametrize(
    ("kind", "areas", "uscc"),
    [
        (Kind.PARK, (), None),
        (Kind.DISTRICT, ("park-lingang",), None),
        (Kind.ENTERPRISE, (), None),
        (Kind.AUDITOR, (), "91310117MA1J00014T"),
        (Kind.STATISTICS, (), None),
        (Kind.API, (), None),
    ],
)
def test_a_scope_names_what_its_kind_needs_and_no_more(kind: Kind, areas: tuple[str, ...], uscc: str | None) -> None:
    with pytest.raises(Misconfigured):
        Scope(kind, areas, uscc)


def test_a_session_lasts_while_it_is_used_and_no_longer_than_a_day_of_work(ready: Connection) -> None:
    made = person(ready)
    token, begun = sessions.begin(ready, made, NOW)
    assert sessions.find(ready, token, NOW) == begun
    assert sessions.find(ready, token + "x", NOW) is None
    at = NOW
    while at + timedelta(hours=1) < NOW + sessions.LENGTH:
        at += timedelta(hours=1)
        assert sessions.find(ready, token, at) == begun
    assert sessions.find(ready, token, NOW + sessions.LENGTH) is None


def test_a_session_ends_when_it_is_left_alone_or_signed_out(ready: Connection) -> None:
    made = person(ready)
    idle, _ = sessions.begin(ready, made, NOW)
    assert sessions.find(ready, idle, NOW + sessions.IDLE) is None
    left, _ = sessions.begin(ready, made, NOW)
    sessions.end(ready, left)
    assert sessions.find(ready, left, NOW) is None


def test_ended_sessions_are_swept_away_when_somebody_signs_in(ready: Connection) -> None:
    made = person(ready)
    sessions.begin(ready, made, NOW)
    sessions.begin(ready, made, NOW + sessions.IDLE)
    assert ready.execute("SELECT count(*) FROM people.session").fetchone() == (1,)


def test_a_new_password_or_disabling_ends_every_session(ready: Connection) -> None:
    made = person(ready)
    token, _ = sessions.begin(ready, made, NOW)
    accounts.set_password(ready, "wang.li", PASSWORD + " again")
    assert sessions.find(ready, token, NOW) is None
    assert accounts.sign_in(ready, "wang.li", PASSWORD) is None
    token, _ = sessions.begin(ready, made, NOW)
    accounts.disable(ready, "wang.li")
    assert sessions.find(ready, token, NOW) is None
    assert accounts.sign_in(ready, "wang.li", PASSWORD + " again") is None
    with pytest.raises(Misconfigured, match="there is no account nobody"):
        accounts.disable(ready, "nobody")
    with pytest.raises(Misconfigured, match="there is no account nobody"):
        accounts.set_password(ready, "nobody", PASSWORD)


def test_an_identity_elsewhere_opens_without_a_password(ready: Connection) -> None:
    made = person(ready, password=None, identity=("https://id.example", "42"))
    assert accounts.by_identity(ready, "https://id.example", "42") == made
    assert accounts.by_identity(ready, "https://other.example", "42") is None
    assert accounts.sign_in(ready, "wang.li", "") is None
    accounts.disable(ready, "wang.li")
    assert accounts.by_identity(ready, "https://id.example", "42") is None


def test_a_key_opens_until_it_ends_or_is_revoked(ready: Connection) -> None:
    end = datetime.now(UTC) + timedelta(days=30)
    text, made = keys.make(ready, name="大屏", scope=PARK, expires_at=end, by="tests")
    assert keys.find(ready, text) == made
    assert made.scope == PARK
    assert keys.find(ready, text, end) is None
    other = text[:-1] + ("0" if text[-1] != "0" else "1")
    assert [keys.find(ready, wrong) for wrong in (other, "", "g60_", text.upper())] == [None] * 4
    keys.revoke(ready, made.prefix, "tests")
    assert keys.find(ready, text) is None
    assert [key.revoked_at is not None for key in keys.every(ready)] == [True]
    with pytest.raises(Misconfigured, match=made.prefix):
        keys.revoke(ready, made.prefix, "tests")


def test_what_is_kept_of_keys_and_tokens_does_not_open_anything(ready: Connection) -> None:
    text, _ = keys.make(ready, name="大屏", scope=PARK, expires_at=datetime.now(UTC) + timedelta(days=1), by="tests")
    token, _ = sessions.begin(ready, person(ready))
    kept = str(ready.execute("SELECT k::text, s::text FROM people.api_key AS k, people.session AS s").fetchall())
    assert text.rsplit("_", 1)[1] not in kept
    assert token not in kept


def test_a_key_without_an_end_ahead_is_refused(ready: Connection) -> None:
    with pytest.raises(Misconfigured, match="ends in the future"):
        keys.make(ready, name="大屏", scope=DISTRICT, expires_at=NOW - timedelta(days=900), by="tests")


def test_the_log_only_grows(ready: Connection) -> None:
    log.write(ready, log.Access("person:wang.li", PARK, "127.0.0.1", "GET", "/api/v1/catalogue", "", 200, 14))
    log.write(ready, log.Access("anonymous", None, None, "POST", "/api/v1/session", "", 401))
    found = ready.execute("SELECT who, kind, areas, status, rows FROM people.access_log ORDER BY access_id").fetchall()
    assert found == [
        ("person:wang.li", "park", ["park-lingang"], 200, 14),
        ("anonymous", None, None, 401, None),
    ]
    refused("UPDATE people.access_log SET who = 'x'", ready)
    refused("DELETE FROM people.access_log", ready)


def test_accounts_and_keys_are_made_listed_and_ended_from_the_command_line(
    ready: Connection, ready_dsn: str, tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, [*arguments[:2], "--database", ready_dsn, *arguments[2:]])
        assert done.exit_code == 0, done.output
        return done.stdout

    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n", "utf-8")
    run(
        *("user", "add", "li.na", "--name", "李娜", "--kind", "park", "--area", "park-lingang", "--duty", "enter"),
        *("--password-file", str(secret)),
    )
    assert accounts.sign_in(ready, "li.na", PASSWORD) is not None
    assert [line.split() for line in run("user", "list").splitlines()[2:]] == [
        ["li.na", "李娜", "park", "park-lingang", "enter", "-"]
    ]
    run("user", "disable", "li.na")
    assert accounts.sign_in(ready, "li.na", PASSWORD) is None
    text = run("key", "add", "大屏", "--kind", "district").strip()
    key = keys.find(ready, text)
    assert key is not None
    assert key.scope == DISTRICT
    assert key.prefix in run("key", "list")
    run("key", "revoke", key.prefix)
    assert keys.find(ready, text) is None
