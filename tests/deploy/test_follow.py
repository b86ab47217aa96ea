"""Following a log over what a restart does to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from deploy.local.follow import followed
from deploy.local.process import rotate


def _followed(path: Path, lines: int, *steps: Callable[[], object]) -> str:
    """Return what is shown when ``steps`` happen one after the other while the log is followed."""
    left = list(steps)

    def wait() -> bool:
        if not left:
            return False
        left.pop(0)()
        return True

    return "".join(followed(path, lines, wait))


def _append(path: Path, text: str) -> Callable[[], object]:
    def append() -> None:
        with path.open("a") as file:
            file.write(text)

    return append


def test_last_lines_then_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "one.log"
    path.write_text("a\nb\nc\n")
    assert _followed(path, 2) == "b\nc\n"
    assert _followed(path, 0, _append(path, "d\n"), _append(path, "e\n")) == "d\ne\n"


def test_a_new_log_is_followed_and_the_rest_of_the_old_one_shown(tmp_path: Path) -> None:
    path = tmp_path / "one.log"
    path.write_text("a\n")

    def restart() -> None:
        _append(path, "last words\n")()
        rotate(path)
        path.write_text("new\n")

    assert _followed(path, 1, restart, _append(path, "more\n")) == "a\nlast words\nnew\nmore\n"


def test_a_log_that_was_cut_is_followed_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "one.log"
    path.write_text("long long line\n")

    def cut() -> None:
        os.truncate(path, 0)
        _append(path, "x\n")()

    assert _followed(path, 1, cut, _append(path, "y\n")) == "long long line\nx\ny\n"


def test_a_log_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "one.log"
    path.write_text("a\n")
    assert _followed(path, 1, lambda: rotate(path), lambda: path.write_text("b\n"), lambda: None) == "a\nb\n"
