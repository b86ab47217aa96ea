"""How a TOML file becomes a settings model, and how a wrong one is told to a person.

Every room's settings derive from :class:`Settings`; the model is the reference, documentation and samples are
generated from it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_agent.contract.errors import Misconfigured


class Settings(BaseModel):
    """Base of all settings: immutable, unknown keys refused, every field described with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


def load(model: type[S], candidates: list[Path]) -> S:
    """Read the first of ``candidates`` that exists into ``model``.

    ``Misconfigured`` says the file, the key, what was found and what is allowed; when no file exists, every place
    that was looked at.
    """
    path = next((candidate for candidate in candidates if candidate.is_file()), None)
    if path is None:
        looked = "\n".join(f"  {candidate.absolute()}" for candidate in candidates)
        raise Misconfigured(f"no configuration found (找不到配置文件). Looked at:\n{looked}")
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read as TOML (不是有效的 TOML): {error}") from error
    return parse(model, raw, str(path))


def parse(model: type[S], raw: dict[str, object], where: str) -> S:
    """Validate ``raw`` as ``model``; ``Misconfigured`` lists every wrong key with what was found and allowed."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        lines = [f"{where}: {error.error_count()} wrong (配置有误):"]
        for item in error.errors(include_url=False):
            key = ".".join(str(part) for part in item["loc"]) or "(whole file)"
            found = "" if item["type"] in {"missing", "extra_forbidden"} else f"; found {_shown(key, item['input'])}"
            allowed = _allowed_keys(model, item["loc"]) if item["type"] == "extra_forbidden" else ""
            lines.append(f"  {key}: {item['msg']}{found}{allowed}")
        raise Misconfigured("\n".join(lines)) from error


def _shown(key: str, found: object) -> str:
    if any(word in key.lower() for word in ("password", "secret", "token", "dsn")):
        return "(hidden)"
    text = repr(found)
    return text if len(text) <= 80 else text[:77] + "…"


def _allowed_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Return ``; allowed here: …`` for the table in which an unknown key stands."""
    here: type[BaseModel] | None = model
    for part in loc[:-1]:
        if here is None or isinstance(part, int) or part not in here.model_fields:
            continue
        here = _model_of(here.model_fields[part].annotation)
    return "" if here is None else f"; allowed here: {', '.join(sorted(here.model_fields))}"


def _model_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_of(inner)
        if found is not None:
            return found
    return None
