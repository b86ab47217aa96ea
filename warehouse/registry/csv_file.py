"""CSV files as offices save them: UTF-8 with or without a byte order mark, or GB18030."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.contract.errors import BadRecord
from warehouse.registry.grid import Found, Grid

MAX_BYTES: Final = 256 * 1024 * 1024
"""Larger files are refused: split them."""


def decode(raw: bytes) -> str:
    """Return the text of a file: what is valid UTF-8 is UTF-8, else GB18030 to the letter, else ``BadRecord``.

    The message names the first byte that is neither. Two encodings in one file are never mended.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadRecord("encoding", "UTF-16: save it as “CSV UTF-8” (请另存为 CSV UTF-8)")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as utf_8:
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError as gb18030:
            raise BadRecord(
                "encoding",
                f"byte {utf_8.start} is not UTF-8 and byte {gb18030.start} is not GB18030 (编码无法识别)",
            ) from gb18030


def read(path: Path) -> Grid:
    """Return the file as a grid; ``BadRecord`` when it cannot be read at all.

    Tabs or semicolons separate cells when the first line has them and no comma.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise BadRecord("size", f"{size} bytes, at most {MAX_BYTES}: split it (文件过大，请拆分)")
    text = decode(path.read_bytes())
    first = text[: text.find("\n") + 1] or text
    delimiter = "," if "," in first else "\t" if "\t" in first else ";" if ";" in first else ","
    return Grid(path.name, "", _rows(text, delimiter))


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[Found]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, list(cells)
    except csv.Error as error:
        raise BadRecord("csv", f"line {reader.line_num}: {error}") from error
