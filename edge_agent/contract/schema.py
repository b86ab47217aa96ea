"""Writes the JSON Schemas of the contract: ``python -m edge_agent.contract.schema FOLDER [--check]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from edge_agent.contract.birth import Birth
from edge_agent.contract.command import BirthRequest, Drain, Stored
from edge_agent.contract.event import Event
from edge_agent.contract.state import State
from edge_agent.contract.telemetry import Batch
from edge_agent.contract.wire import Message

MESSAGES: Final[dict[str, type[Message]]] = {
    "birth": Birth,
    "telemetry": Batch,
    "state": State,
    "event": Event,
    "cmd-stored": Stored,
    "cmd-birth": BirthRequest,
    "cmd-drain": Drain,
}


def schemas() -> dict[str, str]:
    """Return the file name and the text of each message's JSON Schema (draft 2020-12)."""
    return {
        f"{name}.schema.json": json.dumps(_schema(name, model), ensure_ascii=False, indent=2) + "\n"
        for name, model in MESSAGES.items()
    }


def _schema(name: str, model: type[Message]) -> dict[str, object]:
    schema = model.model_json_schema()
    # The version is written by the encoder and demanded by the decoder, though the models default it.
    required = ["v", *(key for key in schema.get("required", []) if key != "v")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"g60/v1/{name}",
        **schema,
        "required": required,
    }


def main(arguments: list[str]) -> int:
    """Write the schemas into a folder, or with ``--check`` say which differ; 1 when any does."""
    folder = Path(next(argument for argument in arguments if not argument.startswith("-")))
    stale = [
        name
        for name, text in schemas().items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != text
    ]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"{folder / name} is out of date: run `make generate`\n")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
