"""What is missing is installed where that is allowed, and named with the exact command elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deploy.local import missing
from deploy.local.missing import JAVA, MAVEN, MOSQUITTO, Program
from edge_agent.contract.errors import Misconfigured


@pytest.mark.parametrize(
    ("said", "release"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="1"\nopenjdk version "25.0.1" 2026-01-20 LTS', 25),
        ("command not found", None),
        ("", None),
    ],
)
def test_release_of_java_is_read(said: str, release: int | None) -> None:
    assert missing.java_release(said) == release


def test_packages_are_those_that_the_machine_knows() -> None:
    programs = (MOSQUITTO, JAVA, MAVEN)
    install = ("install", "-y", "--no-install-recommends")
    assert missing.install_arguments(programs, {"mosquitto", "openjdk-17-jre-headless", "maven"}.__contains__) == (
        *install,
        "mosquitto",
        "openjdk-17-jre-headless",
        "maven",
    )
    assert missing.install_arguments(programs, lambda _: True)[-2] == "openjdk-21-jre-headless"
    assert missing.install_arguments(programs, lambda _: False)[-2] == "openjdk-21-jre-headless"


@pytest.mark.parametrize(("uid", "sudo"), [(0, ""), (1000, "sudo ")])
def test_message_names_the_exact_command(monkeypatch: pytest.MonkeyPatch, uid: int, sudo: str, apt: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    text = missing.told((MOSQUITTO, JAVA), lambda _: True)
    assert "mosquitto, java >= 17" in text
    assert "缺少" in text
    install = f"{sudo}apt-get install -y --no-install-recommends mosquitto openjdk-21-jre-headless"
    assert f"\n  {sudo}apt-get update && {install}\n" in text
    assert missing.IOTCORE_INSTALL in text
    assert missing.IOTCORE_INSTALL not in missing.told((JAVA, MAVEN), lambda _: True)


def test_message_without_apt_names_the_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    text = missing.told((MOSQUITTO, MAVEN))
    assert "mosquitto, mvn (Maven)" in text
    assert "apt-get" not in text


def test_a_package_that_is_only_mentioned_is_not_known(apt: Path) -> None:
    assert missing.known_to_apt("mosquitto")
    assert not missing.known_to_apt("mentioned")


def test_nothing_is_done_when_nothing_is_missing(apt: Path) -> None:
    assert missing.provide([Program("there", ("there",), lambda: True)]) == ()
    assert not apt.exists()


def test_what_is_missing_is_installed_once_for_all(monkeypatch: pytest.MonkeyPatch, apt: Path, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    one, two = _program(tmp_path, "one"), _program(tmp_path, "two")
    there = Program("there", ("there",), lambda: True)
    assert missing.provide([one, there, two]) == (one, two)
    calls = apt.read_text().splitlines()
    assert [call.rpartition("DPkg::Lock::Timeout=120 ")[2] for call in calls] == [
        "update",
        "install -y --no-install-recommends one two",
    ]


def test_installing_that_does_not_help_names_what_is_still_missing(
    monkeypatch: pytest.MonkeyPatch, apt: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(Misconfigured, match=r"never\..*"):
        missing.provide([Program("never", ("other",), lambda: False)])


def test_installing_that_fails_tells_why(monkeypatch: pytest.MonkeyPatch, apt: Path, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "no-network").touch()
    with pytest.raises(Misconfigured, match=r"(?s)apt-get .* update failed.*Could not resolve"):
        missing.provide([_program(tmp_path, "one")])


def test_nobody_but_root_installs(monkeypatch: pytest.MonkeyPatch, apt: Path, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Misconfigured, match="sudo apt-get"):
        missing.provide([_program(tmp_path, "one")])
    assert not apt.exists()


def test_java_home_goes_before_path_and_an_old_java_does_not_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    _script(java, "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert missing.java_path() == str(java)
    assert not missing.java_suffices()
    _script(java, "echo 'openjdk version \"21.0.2\"' >&2")
    assert missing.java_suffices()
    java.unlink()
    assert missing.java_path() is None
    assert not missing.java_suffices()


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get that notes its calls in the file returned and installs a package by touching its name."""
    calls = tmp_path / "calls"
    programs = tmp_path / "programs"
    programs.mkdir()
    _script(
        programs / "apt-get",
        f'echo "$@" >> {calls}\n'
        f'[ ! -e {tmp_path}/no-network ] || {{ echo "Could not resolve" >&2; exit 100; }}\n'
        f'for word in "$@"; do case "$word" in [a-z]*) touch {tmp_path}/$word.installed;; esac; done',
    )
    _script(programs / "apt-cache", 'case "$2" in mentioned) c="(none)";; *) c=1:2.3;; esac; echo "  Candidate: $c"')
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return calls


def _program(folder: Path, name: str) -> Program:
    return Program(name, (name,), (folder / f"{name}.installed").exists)


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
