"""The JSON Schemas of the contract, generated from its models into ``docs/contract/``."""

from __future__ import annotations

import json
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
