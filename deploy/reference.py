"""The settings reference, made from the models that read the settings."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Union

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def settings_page(title: str, promise: str, model: type[BaseModel]) -> str:
    """Return a Markdown chapter on ``model``: a table per TOML table: key, type, bounds, default, meaning."""
    parts = [f"## {title}", "", promise, ""]
    for heading, table in _tables(model, ""):
        parts += [f"### `{heading}`" if heading else "### top level", "", _described(table), ""]
        parts += ["| key | type | default | meaning |", "|---|---|---|---|"]
        parts += [_row(name, field) for name, field in table.model_fields.items()]
        parts.append("")
    return "\n".join(parts)


def _tables(model: type[BaseModel], heading: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield heading, model
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is None:
            continue
        below = f"{heading.strip('[]')}.{name}" if heading else name
        yield from _tables(inner, f"[[{below}]]" if _many(field.annotation) else f"[{below}]")


def _row(name: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `{name}` | {_type(field)} | {_default(field)} | {meaning} |"


def _described(model: type[BaseModel]) -> str:
    first, _, _ = (model.__doc__ or "").strip().partition("\n\n")
    return " ".join(first.split())


def _type(field: FieldInfo) -> str:
    bounds = ", ".join(text for item in field.metadata if (text := _bound(item)))
    return _named(field.annotation) + (f", {bounds}" if bounds else "")


def _named(annotation: object) -> str:
    inner = _model_in(annotation)
    if inner is not None:
        return "tables" if _many(annotation) else "table"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " \\| ".join(f"`{member.value}`" for member in annotation)
    origin = typing.get_origin(annotation)
    arguments = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
    if origin is typing.Annotated:
        return _named(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(argument) for argument in arguments))
    if origin is typing.Literal:
        return " \\| ".join(f"`{argument}`" for argument in arguments)
    if origin in (tuple, list, frozenset):
        return f"list of {_named(arguments[0])}"
    if origin is dict:
        return f"table of {_named(arguments[1])}"
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true \\| false", "SecretStr": "text, secret"}
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, "path" if name == "Path" else name)


def _bound(item: object) -> str:
    match item:
        case Ge(ge=low):
            return f"≥ {low}"
        case Gt(gt=low):
            return f"> {low}"
        case Le(le=high):
            return f"≤ {high}"
        case Lt(lt=high):
            return f"< {high}"
        case MinLen(min_length=0) | MaxLen(max_length=0):
            return ""
        case MinLen(min_length=least):
            return f"at least {least}"
        case MaxLen(max_length=most):
            return f"at most {most}"
    pattern = getattr(item, "pattern", None)
    return f"`{pattern}`".replace("|", "\\|") if isinstance(pattern, str) else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default_factory is not None and field.default_factory not in (dict, list, tuple):
        return "of the machine"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default == () or default == "":
        return "–"
    if isinstance(default, BaseModel):
        return "see there"
    if isinstance(default, Enum):
        return f"`{default.value}`"
    if isinstance(default, tuple):
        return ", ".join(f"`{one.value if isinstance(one, Enum) else one}`" for one in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in typing.get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _many(annotation: object) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (tuple, list):
        return True
    return any(_many(argument) for argument in typing.get_args(annotation))
