"""Tables of text for a terminal; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence


def aligned(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Return one line per row below a line of headings, the columns aligned; Chinese characters take two places."""
    table = [tuple(headings), *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(_width(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
