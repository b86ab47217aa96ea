"""Every indicator of the plan over a synthetic district of 10 000 enterprises: found as it was planted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from metrics.run import run
from tests.metrics.planted import District
from tests.metrics.world import CATALOGUE, code, figures
from warehouse.indicators.results import Content
from warehouse.postgres import Connection
from warehouse.registry.load import load_folder

PERIOD = "2025-12"
ONE_LESS = {
    "new_enterprise_tech_centers": ("registry.recognition", 60, "enterprise_tech_center"),
    "new_srdi_smes": ("registry.recognition", 250, "srdi"),
    "recognized_hq_count": ("registry.recognition", 1000, "headquarters"),
    "benchmark_smart_factories": ("registry.recognition", 0, "benchmark_factory"),
    "municipal_innovation_centers": ("registry.recognition", 300, "tech_innovation_center"),
    "green_factories_national": ("registry.recognition", 40, "green_factory"),
    "brand_demo_enterprises": ("registry.recognition", 400, "brand_demo"),
    "restructured_firms": ("registry.project", 3100, "restructuring"),
    "smes_on_platform": ("registry.platform_member", 2500, None),
    "smes_on_platform_contract": ("registry.platform_member", 1800, None),
    "national_standards": ("registry.standard_participation", 100, None),
    "industry_standards": ("registry.standard_participation", 746, None),
}
"""One row of each that is taken away: its table, its enterprise, its kind."""


def computed(conn: Connection) -> dict[str, Content]:
    return {
        outcome.indicator: outcome.draft.content
        for outcome in run(conn, CATALOGUE, period=PERIOD)
        if outcome.draft is not None
    }


@pytest.mark.slow
def test_every_indicator_of_the_plan_is_found_as_planted(ready: Connection, tmp_path: Path) -> None:
    district = District()
    district.write(tmp_path)
    assert [str(refusal) for refusal in load_folder(ready, tmp_path).refused] == []
    found = computed(ready)
    wanted = {name for name, entry in CATALOGUE.entries.items() if entry.plan == "songjiang-2021"}
    assert wanted - set(district.answers) == {"smes_on_platform_data"}, "readings are planted in test_telemetry"
    for name, answer in district.answers.items():
        content = found[name]
        assert content.value is not None, (name, content.status_reason)
        assert abs(content.value - answer.value) < Decimal("1e-20"), name
        assert (content.status, content.light) == (answer.status, answer.light), name
        if answer.reasons is not None:
            assert content.detail["groups"]["reason"] == answer.reasons, name
        assert {key: figures(content)[key] for key in answer.beside} == answer.beside, name
    assert found["smes_on_platform_data"].status == "insufficient_data"
    for table, number, kind in ONE_LESS.values():
        of_kind = "" if kind is None else f" AND kind = '{kind}'"
        ready.execute(f"DELETE FROM {table} WHERE uscc = '{code(number)}'{of_kind}".encode())  # noqa: S608  # from above
    after = computed(ready)
    changed = {
        name: content.value - value
        for name, content in after.items()
        if content.value is not None and (value := found[name].value) is not None and content.value != value
    }
    assert changed == {name: Decimal(-1) for name in ONE_LESS} | {"enterprise_tech_centers_stock": Decimal(-1)}
