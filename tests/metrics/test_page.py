"""The page of the indicators is made from the catalogue, and is current."""

from __future__ import annotations

import re
from pathlib import Path

from metrics.entries import FOLDER
from metrics.page import page
from tests.metrics.world import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(CATALOGUE), "run: make generate"


def test_every_indicator_target_and_rule_stands_in_it() -> None:
    text = page(CATALOGUE)
    for name, entry in CATALOGUE.entries.items():
        assert f"\n### {name}\n" in text
        assert entry.name_zh in text
        assert entry.owner in text
    for rules in CATALOGUE.rules.values():
        assert rules.set.note_zh in text
    for plan in CATALOGUE.plans.values():
        assert plan.name_zh in text


def test_its_links_lead_somewhere() -> None:
    text = page(CATALOGUE)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w-]", "", head.lower().replace(" ", "-")) for head in heads}
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors
    for file in re.findall(r"\]\(\.\./metrics/([^)]*)\)", text):
        assert (FOLDER / file).exists(), file
