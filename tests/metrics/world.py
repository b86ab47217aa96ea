"""A small district, planted by hand through the registry's own loader; the expected figures stand in the tests."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from metrics.entries import load_catalogue
from metrics.run import Outcome, run
from warehouse.indicators.results import Content, evidence
from warehouse.postgres import Connection
from warehouse.registry.load import load_folder
from warehouse.registry.uscc import check_character

CATALOGUE = load_catalogue()
SOURCE = {"legal_basis": "administrative", "source": "synthetic"}


def code(number: int, prefix: str = "91310117") -> str:
    """A valid code of enterprise ``number``."""
    first17 = f"{prefix}MA1T{number:05d}"
    return first17 + check_character(first17)


class World:
    """Loads rows given as `column=value` text; a row's legal basis and source may be left out."""

    def __init__(self, conn: Connection, folder: Path) -> None:
        self.conn = conn
        self._folder = folder
        self._loads = 0

    def load(self, **files: Iterable[str]) -> None:
        self._loads += 1
        folder = self._folder / str(self._loads)
        folder.mkdir()
        for name, lines in files.items():
            rows = [SOURCE | dict(cell.split("=", 1) for cell in line.split()) for line in lines]
            names = dict.fromkeys(column for row in rows for column in row)
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, list(names))
                writer.writeheader()
                writer.writerows(rows)
        assert [str(refusal) for refusal in load_folder(self.conn, folder).refused] == []

    def delete(self, table: str, where: str = "true") -> None:
        self.conn.execute(f"DELETE FROM {table} WHERE {where}".encode())  # noqa: S608  # names from the tests

    def outcome(self, indicator: str, period: str | None = None) -> Outcome:
        (outcome,) = run(self.conn, CATALOGUE, indicators=[indicator], period=period)
        return outcome

    def content(self, indicator: str, period: str | None = None) -> Content:
        outcome = self.outcome(indicator, period)
        assert outcome.draft is not None
        return outcome.draft.content

    def members(self, content: Content) -> dict[str, tuple[str, str]]:
        """Where each member stands, and why."""
        assert content.evidence_digest is not None
        return {row["member"]: (row["counted"], row["reason"]) for row in evidence(self.conn, content.evidence_digest)}


def figures(content: Content) -> dict[str, str | None]:
    """The figures beside the headline."""
    return {figure["id"]: figure["value"] for figure in content.detail["figures"]}
