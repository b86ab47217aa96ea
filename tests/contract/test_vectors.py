"""The golden vectors: what every receiver accepts, refuses and writes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from edge_agent.contract.birth import Birth
from edge_agent.contract.errors import BadRecord
from edge_agent.contract.schema import MESSAGES, schemas
from edge_agent.contract.wire import decode

VECTORS = Path(__file__).parent / "vectors"
CASES = sorted(VECTORS.glob("*/*.json"))


def expectation(case: Path) -> str:
    beside = case.with_suffix(".expect")
    return beside.read_text("utf-8").strip() if beside.is_file() else "canonical"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_vector(case: Path) -> None:
    payload = case.read_bytes()
    model = MESSAGES[case.parent.name]
    verdict, _, detail = expectation(case).partition(" ")
    if verdict == "refused":
        with pytest.raises(BadRecord) as refusal:
            decode(model, payload)
        assert refusal.value.reason in detail.split("|")
        return
    message = decode(model, payload)
    if verdict != "accepted":
        assert message.encode() == payload
    assert decode(model, message.encode()) == message
    if verdict == "digest":
        assert isinstance(message, Birth)
        assert message.digest() == detail


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not expectation(case).startswith("refused")],
    ids=lambda case: f"{case.parent.name}/{case.stem}",
)
def test_accepted_vectors_satisfy_the_published_schema(case: Path) -> None:
    schema = json.loads(schemas()[f"{case.parent.name}.schema.json"])
    jsonschema.Draft202012Validator(schema).validate(json.loads(case.read_bytes()))


def test_every_message_has_accepted_vectors() -> None:
    accepted = {case.parent.name for case in CASES if not expectation(case).startswith("refused")}
    assert accepted == set(MESSAGES)


def test_the_published_schemas_are_current() -> None:
    folder = Path(__file__).parents[2] / "docs" / "contract"
    assert {path.name: path.read_text("utf-8") for path in folder.glob("*.schema.json")} == schemas()
