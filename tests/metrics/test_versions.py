"""Results are never changed: versions, what they differ by, and what was known when."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from click.testing import CliRunner

from edge_agent.contract.errors import Misconfigured
from metrics.cli import cli
from metrics.entries import Catalogue, Entry
from metrics.run import last_period, run
from tests.metrics.world import CATALOGUE, World, code
from warehouse.indicators.results import results
from warehouse.period import PeriodType

ID = "digital_transformation_ratio"


def assessed(number: int, level: int) -> str:
    return f"uscc={code(number)} instrument=miit edition=2022 evidence=onsite assessed_on=2024-05-20 level={level}"


@pytest.fixture
def district(world: World) -> World:
    """Four enterprises, one of them transformed."""
    world.load(
        rosters=[
            *(f"roster=industry_above_scale uscc={code(number)} valid_from=2019-01" for number in range(4)),
            f"roster=large_enterprises uscc={code(9)} valid_from=2025-01 valid_to=2026-01",
        ],
        questionnaire_results=[assessed(0, 2), assessed(1, 1)],
    )
    return world


def clock(world: World) -> datetime:
    row = world.conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def versions(world: World) -> list[tuple[int, Decimal | None, list[str]]]:
    return world.conn.execute("SELECT version, value, changed FROM indicator.result ORDER BY version").fetchall()


def test_running_again_adds_nothing(district: World) -> None:
    first = district.outcome(ID, "2025-12").stored
    again = district.outcome(ID, "2025-12").stored
    assert first is not None
    assert again is not None
    assert (first.added, again.added, first.result_id) == (True, False, again.result_id)
    assert versions(district) == [(1, Decimal(25), [])]
    assert district.conn.execute("SELECT count(*) FROM indicator.evidence_set").fetchone() == (1,)


def test_a_changed_input_adds_a_version_and_says_what_changed(district: World) -> None:
    district.outcome(ID, "2025-12")
    district.load(questionnaire_results=[assessed(1, 2)])
    district.outcome(ID, "2025-12")
    assert versions(district) == [
        (1, Decimal(25), []),
        (2, Decimal(50), ["value", "numerator", "detail", "evidence_digest"]),
    ]


def test_a_changed_rule_adds_a_version_even_when_the_value_stays(district: World) -> None:
    district.outcome(ID, "2025-12")
    rules = CATALOGUE.rules["digital_transformation"]
    changed = Catalogue(
        CATALOGUE.plans,
        CATALOGUE.entries,
        CATALOGUE.rules | {"digital_transformation": type(rules)(rules.set, rules.text + "# a word more\n")},
    )
    run(district.conn, changed, indicators=[ID], period="2025-12")
    assert versions(district) == [(1, Decimal(25), []), (2, Decimal(25), ["rule_digest"])]
    texts = district.conn.execute("SELECT rule_text FROM indicator.result ORDER BY version").fetchall()
    assert texts[0][0] + "# a word more\n" == texts[1][0], "the very text is kept"


def test_what_was_known_on_a_day_can_be_computed_and_shown_later(district: World) -> None:
    district.outcome(ID, "2025-12")
    before = clock(district)
    district.load(questionnaire_results=[assessed(1, 2)])
    district.outcome(ID, "2025-12")
    # Computing for that day again finds the version of then, and leaves the current one current.
    run(district.conn, CATALOGUE, indicators=[ID], period="2025-12", as_of=before)
    assert [value for _, value, _ in versions(district)] == [Decimal(25), Decimal(50)]
    assert [row["value"] for row in results(district.conn)] == [Decimal(50)]
    assert [row["value"] for row in results(district.conn, as_of=before)] == [Decimal(25)]
    current = "SELECT value FROM indicator.current_result"
    assert district.conn.execute(current).fetchall() == [(Decimal(50),)]


def test_a_day_that_was_never_computed_is_computed_from_what_was_known_then(district: World) -> None:
    before = clock(district)
    district.load(questionnaire_results=[assessed(1, 2)])
    district.delete("registry.roster", f"uscc = '{code(3)}'")
    assert district.content(ID, "2025-12").numerator == 2
    (outcome,) = run(district.conn, CATALOGUE, indicators=[ID], period="2025-12", as_of=before)
    assert outcome.draft is not None
    assert (outcome.draft.content.numerator, outcome.draft.content.denominator) == (Decimal(1), Decimal(4))
    assert [row["denominator"] for row in results(district.conn)] == [Decimal(3)], "the current one stays current"


def test_nothing_of_a_result_can_be_changed(district: World) -> None:
    district.outcome(ID, "2025-12")
    for statement in (
        "UPDATE indicator.result SET value = 99",
        "DELETE FROM indicator.result",
        "UPDATE indicator.evidence SET counted = 'numerator'",
        "DELETE FROM indicator.evidence",
        "UPDATE indicator.target SET value = 1",
    ):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="never changed"):
            district.conn.execute(statement.encode())


def test_a_target_is_revised_by_a_new_version_only(district: World) -> None:
    district.outcome(ID, "2025-12")
    entry = CATALOGUE.entries[ID]
    lower = entry.targets[0].model_copy(update={"value": Decimal(20)})

    def with_targets(*targets: object) -> Catalogue:
        changed = Entry.model_validate(entry.model_dump() | {"targets": targets})
        return Catalogue(CATALOGUE.plans, CATALOGUE.entries | {ID: changed}, CATALOGUE.rules)

    with pytest.raises(Misconfigured, match="a revised target is a new version"):
        run(district.conn, with_targets(lower), indicators=[ID], period="2025-12")
    second = lower.model_copy(update={"version": 2})
    run(district.conn, with_targets(*entry.targets, second), indicators=[ID], period="2025-12")
    stored = district.conn.execute("SELECT target_version, status FROM indicator.result ORDER BY version").fetchall()
    assert stored == [(1, "not_met"), (2, "met")]


def test_periods_must_be_over_and_suit_the_indicator(district: World) -> None:
    for period, why in (("2025-Q4", "none of its periods"), ("2099-12", "not over")):
        with pytest.raises(Misconfigured, match=why):
            run(district.conn, CATALOGUE, indicators=[ID], period=period)
    with pytest.raises(Misconfigured, match=r"no indicator wealth; known: .*digital_transformation_ratio"):
        run(district.conn, CATALOGUE, indicators=["wealth"])
    assert versions(district) == []


@pytest.mark.parametrize(
    ("indicator", "today", "period"),
    [
        (ID, "2024-03-01", "2024-02"),
        (ID, "2026-11-24", "2025-12"),
        ("panel_energy_intensity", "2026-11-24", "2026-10"),
        ("panel_energy_intensity", "2026-01-01", "2025-12"),
    ],
)
def test_the_last_period_is_over_and_within_the_plan(indicator: str, today: str, period: str) -> None:
    entry = CATALOGUE.entries[indicator]
    plan = CATALOGUE.plans[entry.plan] if entry.plan else None
    found = last_period(entry, plan, datetime.fromisoformat(today).date())
    assert (found.text, found.type) == (period, PeriodType.MONTH)


def test_the_commands_show_results_in_both_languages_and_exactly(district: World, ready_dsn: str) -> None:
    def g60(*arguments: str) -> str:
        result = CliRunner().invoke(cli, [*arguments, "--database", ready_dsn])
        assert result.exit_code == 0, result.output
        return result.stdout

    district.load(
        rosters=[f"roster=industry_above_scale uscc={code(number)} valid_from=2019-01" for number in range(4, 6)]
    )
    ran = g60("run", "--indicator", ID, "--period", "2025")
    assert ran == f"{ID} 2025: not_met, version 1 added (first)\n"
    zh, en = g60("show"), g60("show", "--lang", "en")
    assert "规模以上工业企业数字化转型比例" in zh
    assert "未完成" in zh
    assert "16.7" in zh, "one sixth, rounded once"
    assert "not met" in en
    assert "1 / 6" in en
    exact = g60("show", "--json")
    assert '"value": "16.66666666666666666666666666666667"' in exact
    listed = g60("evidence", ID, "--counted", "numerator").splitlines()
    assert listed == [
        "member,counted,reason,since,amount,weight,source,legal_basis",
        f"{code(0)},numerator,qualified,2024-05-20,,,synthetic; synthetic,administrative",
    ]
    skipped = g60("run", "--period", "2025")
    assert "panel_energy_intensity 2025: skipped" in skipped


def test_members_that_rest_on_statistical_returns_are_not_listed(district: World, ready_dsn: str) -> None:
    district.load(
        questionnaire_results=[assessed(0, 2) + " legal_basis=statistical"],
    )
    district.outcome(ID, "2025-12")
    result = CliRunner().invoke(cli, ["evidence", ID, "--database", ready_dsn])
    assert code(0) not in result.stdout
    assert code(1) in result.stdout
    assert "1 members rest on statistical returns" in result.stderr


def test_as_of_a_day_means_its_end_in_shanghai(district: World, ready_dsn: str) -> None:
    district.outcome(ID, "2025-12")
    today = datetime.now(UTC)
    shown = CliRunner().invoke(cli, ["show", "--database", ready_dsn, "--as-of", "2020-01-01"])
    assert ID not in shown.stdout
    assert "数字化" not in shown.stdout
    shown = CliRunner().invoke(cli, ["show", "--database", ready_dsn, "--as-of", f"{today.year + 1}-01-01"])
    assert "数字化" in shown.stdout
