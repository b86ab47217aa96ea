"""SMEs on platforms: a dozen enterprises, each counted or left out for the one reason planted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.metrics.world import World, code, figures

ID = "smes_on_platform"
COUNTED, TWICE, ELSEWHERE, DORMANT = code(1), code(2), code(3, "91310115"), code(4)
LARGE, UNKNOWN, OUTSIDE, NOWHERE = code(5), code(6), code(7), code(8)
REGISTERED, WITHDRAWN, UNRECOGNISED, CONTRACT, EARLY, LATE = (code(number) for number in range(9, 15))
STRANGER = code(15)
"""On a roster, but in no register of enterprises."""

NUMERATOR = ("numerator", "qualified")
EXPECTED = {
    COUNTED: NUMERATOR,
    TWICE: NUMERATOR,
    ELSEWHERE: NUMERATOR,
    DORMANT: NUMERATOR,
    UNKNOWN: ("apart", "size_unknown"),
    LARGE: ("excluded", "large"),
    OUTSIDE: ("excluded", "outside_region"),
    NOWHERE: ("excluded", "region_unknown"),
    STRANGER: ("excluded", "region_unknown"),
    REGISTERED: ("excluded", "registered_only"),
    WITHDRAWN: ("excluded", "withdrawn"),
    UNRECOGNISED: ("excluded", "platform_not_recognised"),
    CONTRACT: ("excluded", "contract"),
    EARLY: ("excluded", "before_plan"),
    LATE: ("excluded", "after_plan"),
}


def enterprise(uscc: str, region: str = "310117107000", size: str = "small") -> str:
    return f"uscc={uscc} name=x size={size} registered_region={region} valid_from=2015-01-01"


def member(uscc: str, since: str, state: str = "active", platform: str = "cosmoplat", more: str = "") -> str:
    return (
        f"platform={platform} uscc={uscc} grade=platform_attested state={state} attested_on={since} "
        f"valid_from={since} {more}"
    )


@pytest.fixture
def district(world: World) -> World:
    world.load(
        enterprises=[
            enterprise(COUNTED),
            enterprise(TWICE, size="medium"),
            enterprise(ELSEWHERE, size="micro"),
            enterprise(DORMANT, region="310117"),
            enterprise(LARGE, size="large"),
            enterprise(UNKNOWN, size="unknown"),
            enterprise(OUTSIDE, region="310115"),
            enterprise(NOWHERE, region=""),
            *(enterprise(uscc) for uscc in (REGISTERED, WITHDRAWN, UNRECOGNISED, CONTRACT, EARLY, LATE)),
        ],
        rosters=[
            f"roster=large_enterprises uscc={LARGE} valid_from={year}-01 valid_to={year + 1}-01"
            for year in range(2021, 2026)
        ],
        platforms=["platform=own name_zh=x recognised=false valid_from=2021-01-01"],
        platform_members=[
            member(COUNTED, "2021-03-01", "registered", more="valid_to=2022-02-01"),
            member(COUNTED, "2022-02-01"),
            member(TWICE, "2023-05-01"),
            member(TWICE, "2022-12-31", "connected", "unis"),
            member(ELSEWHERE, "2024-01-01"),
            member(DORMANT, "2021-01-01", "dormant", more="valid_to=2022-01-01"),
            member(DORMANT, "2022-01-01", "withdrawn"),
            member(LARGE, "2023-01-01"),
            member(UNKNOWN, "2023-01-01"),
            member(OUTSIDE, "2023-01-01"),
            member(NOWHERE, "2023-01-01"),
            member(STRANGER, "2023-01-01"),
            member(REGISTERED, "2023-01-01", "registered"),
            member(WITHDRAWN, "2023-01-01", "registered", more="valid_to=2023-06-01"),
            member(WITHDRAWN, "2023-06-01", "withdrawn"),
            member(UNRECOGNISED, "2023-01-01", platform="own"),
            member(EARLY, "2020-12-31", more="valid_to=2022-01-01"),
            member(LATE, "2026-01-01"),
            member(CONTRACT, "2023-01-01").replace("platform_attested", "contract"),
        ],
    )
    # Recognised a year before the plan, so that somebody can be too early.
    world.conn.execute("UPDATE registry.platform_attribute SET valid_from = '2020-01-01' WHERE platform = 'cosmoplat'")
    return world


def test_each_enterprise_stands_where_it_was_planted(district: World) -> None:
    content = district.content(ID, "2025-12")
    assert district.members(content) == EXPECTED
    assert (content.value, content.numerator, content.denominator) == (Decimal(4), Decimal(4), None)
    assert figures(content) == {"size_unknown": "1", "code_of_another_district": "1"}
    assert content.detail["groups"]["year"] == {"2021": 1, "2022": 2, "2024": 1}
    assert (content.status, content.progress, content.expected_progress) == ("not_met", Decimal("0.0004"), Decimal(1))
    assert (content.status_reason, content.label, content.rule) == (
        None,
        "departmental_estimate",
        "platform_onboarding v1",
    )
    assert content.light is None, "the lights are for binding targets"


def test_the_first_qualifying_day_is_in_the_evidence(district: World) -> None:
    district.outcome(ID, "2025-12")
    since: dict[str, str] = dict(
        district.conn.execute(
            "SELECT member, since::text FROM indicator.evidence WHERE counted = 'numerator'"
        ).fetchall()
    )
    assert since == {COUNTED: "2022-02-01", TWICE: "2022-12-31", ELSEWHERE: "2024-01-01", DORMANT: "2021-01-01"}


@pytest.mark.parametrize(
    ("period", "value", "expected_progress", "status"),
    [("2021-12", 1, "0.2", "behind"), ("2022", 3, "0.4", "behind"), ("2023-12", 3, "0.6", "behind")],
)
def test_a_cumulative_count_grows_with_the_period(
    district: World, period: str, value: int, expected_progress: str, status: str
) -> None:
    content = district.content(ID, period)
    assert content.value == value
    assert (content.expected_progress, content.status) == (Decimal(expected_progress), status)


def test_a_period_after_the_plan_counts_nobody_more(district: World) -> None:
    assert district.content(ID, "2026-06").value == 4


@pytest.mark.parametrize(
    ("change", "uscc", "stands", "value"),
    [
        ({"enterprises": [enterprise(COUNTED, size="unknown")]}, COUNTED, ("apart", "size_unknown"), 3),
        ({"enterprises": [enterprise(COUNTED, region="310115")]}, COUNTED, ("excluded", "outside_region"), 3),
        ({"enterprises": [enterprise(OUTSIDE)]}, OUTSIDE, NUMERATOR, 5),
        ({"enterprises": [enterprise(STRANGER)]}, STRANGER, NUMERATOR, 5),
        ({"platform_members": [member(REGISTERED, "2023-01-01", "connected")]}, REGISTERED, NUMERATOR, 5),
        (
            {"rosters": [f"roster=large_enterprises uscc={COUNTED} valid_from=2022-01 valid_to=2023-01"]},
            COUNTED,
            ("excluded", "large"),
            3,
        ),
        (
            {"rosters": [f"roster=large_enterprises uscc={COUNTED} valid_from=2023-01 valid_to=2024-01"]},
            COUNTED,
            NUMERATOR,
            4,
        ),
        ({"platforms": ["platform=own name_zh=x recognised=true valid_from=2021-01-01"]}, UNRECOGNISED, NUMERATOR, 5),
    ],
)
def test_one_changed_input_changes_one_enterprise(
    district: World, change: dict[str, list[str]], uscc: str, stands: tuple[str, str], value: int
) -> None:
    district.outcome(ID, "2025-12")
    district.load(**change)
    content = district.content(ID, "2025-12")
    assert district.members(content) == EXPECTED | {uscc: stands}
    assert content.value == value


@pytest.mark.parametrize(
    ("table", "where", "told", "told_zh"),
    [
        (
            "registry.roster",
            "valid_from = '2023-01-01'",
            (
                "missing: list of large enterprises (rosters.csv, large_enterprises) of 2023; "
                "from the district's bureau of statistics"
            ),
            "缺少：大型企业年度名单（rosters.csv，large_enterprises） 2023；提供方：区统计局",
        ),
        (
            "registry.platform_member",
            "grade = 'platform_attested'",
            (
                "missing: rosters of recognised platforms (platform_members.csv, platform_attested); "
                "from the platforms' operators"
            ),
            "缺少：经认定平台的入驻企业名单（platform_members.csv）；提供方：平台运营方",
        ),
        (
            "registry.enterprise_attribute",
            "true",
            (
                "missing: register of enterprises with region and size (enterprises.csv); "
                "from the district's market supervision bureau"
            ),
            "缺少：企业名录，含地址与规模（enterprises.csv）；提供方：区市场监管局",
        ),
    ],
)
def test_a_missing_input_gives_no_value_and_says_who_has_it(
    district: World, table: str, where: str, told: str, told_zh: str
) -> None:
    district.delete(table, where)
    content = district.content(ID, "2025-12")
    assert (content.value, content.numerator, content.progress, content.status) == (
        None,
        None,
        None,
        "insufficient_data",
    )
    assert (content.status_reason, content.status_reason_zh) == (told, told_zh)


def test_a_list_that_is_not_needed_yet_is_not_missed(district: World) -> None:
    district.delete("registry.roster", "valid_from = '2025-01-01'")
    assert district.content(ID, "2024-12").value == 4
    assert district.content(ID, "2025-12").value is None
