"""Columns of text for a terminal, Chinese included (pure)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

Row = tuple[str, ...]


def table(rows: Sequence[Row]) -> str:
    """Return ``rows``, all of one length, as lines with aligned columns."""
    widths = [max(map(_columns, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _columns(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
