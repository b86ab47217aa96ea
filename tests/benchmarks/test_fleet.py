"""What the load generator says is what the contract's own encoders say."""

from __future__ import annotations

from edge_agent.contract.birth import parse_birth
from edge_agent.contract.telemetry import parse_batch
from tests.benchmarks.fleet import SERIES_A_MESSAGE, Template, fleet, names, templates
from tests.benchmarks.prefill import STEP_MS, load


def test_births_are_canonical_and_named_by_their_digest() -> None:
    for gateway in fleet(3, 40):
        birth = parse_birth(gateway.birth)
        assert birth.gateway == gateway.name
        assert birth.encode() == gateway.birth
        assert birth.digest() == gateway.digest
        assert tuple(birth.series) == names(40)


def test_a_filled_template_is_a_canonical_message() -> None:
    (template,) = templates(SERIES_A_MESSAGE, 3)
    assert isinstance(template, Template)
    text = template.fill("0123456789abcdef" * 2, 1024, 7, 2_000, [1_000, 1_500, 2_000])
    batch = parse_batch(text)
    assert batch.encode() == text
    assert (batch.b, batch.epoch, batch.seq, batch.sent) == ("0123456789abcdef" * 2, 1024, 7, 2_000)
    assert set(batch.series) == set(names(SERIES_A_MESSAGE))
    assert {points.t for points in batch.series.values()} == {(1_000, 1_500, 2_000)}


def test_messages_of_a_load_never_repeat_a_series_and_time() -> None:
    work = load(gateways=2, points=3, series=40, rows=2 * 40 * 9)
    seen = []
    for gateway, text in work.messages(1, 4):
        batch = parse_batch(text)
        seen += [(gateway.name, name, t) for name, points in batch.series.items() for t in points.t]
    assert len(seen) == len(set(seen)) == 2 * 4 * work.readings
    assert {t % STEP_MS for _, _, t in seen} == {work.begin_ms % STEP_MS}
