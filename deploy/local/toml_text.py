"""TOML out of plain values: the standard library only reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def dumps(table: Mapping[str, object]) -> str:
    """Return ``table`` as TOML: strings, numbers, booleans, lists of these, tables, lists of tables.

    ``None`` is left out. ``TypeError`` for anything else; what comes back from ``tomllib`` is equal to what went in.
    """
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    plain: list[str] = []
    below: list[str] = []
    for key, value in table.items():
        inner = (*path, key)
        if value is None:
            continue
        if isinstance(value, Mapping):
            below += ["", f"[{_dotted(inner)}]", *_lines(value, inner)]
        elif tables := _tables(value):
            for item in tables:
                below += ["", f"[[{_dotted(inner)}]]", *_lines(item, inner)]
        else:
            plain.append(f"{_key(key)} = {_scalar(value)}")
    return plain + below


def _tables(value: object) -> list[Mapping[str, object]]:
    """Return the tables of a list of tables; nothing for any other value."""
    items = value if isinstance(value, list | tuple) else ()
    tables = [item for item in items if isinstance(item, Mapping)]
    return tables if len(tables) == len(items) else []


def _dotted(path: Sequence[str]) -> str:
    return ".".join(_key(part) for part in path)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _text(key)


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, but for U+007F, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    raise TypeError(f"{value!r} has no place in TOML")
