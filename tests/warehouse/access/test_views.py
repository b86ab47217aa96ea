"""Who sees which rows: consent, place, legal basis."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.warehouse.access.world import ALPHA, BRAVO, KINDS, SILENT, World, at
from warehouse.access.kinds import Kind
from warehouse.times import SHANGHAI

GRAINS = ("quarter", "hour", "day", "month")


def today(world: World) -> date:
    found = world.run("SELECT access.today()")[0][0]
    assert isinstance(found, date)
    return found


@pytest.mark.parametrize("grain", GRAINS)
def test_each_kind_sees_its_enterprises_at_every_grain(world: World, grain: str) -> None:
    def enterprises(name: str) -> set[str]:
        return {uscc for (uscc,) in world.look(name, grain, "DISTINCT uscc")}

    assert enterprises("park") == set(ALPHA)
    assert enterprises("other") == set(BRAVO)
    assert enterprises("enterprise") == {ALPHA[0]}
    assert enterprises("district") == {*ALPHA, *BRAVO}
    assert enterprises("statistics") == {*ALPHA, *BRAVO}
    assert enterprises("auditor") == {*ALPHA, *BRAVO, SILENT}
    assert enterprises("api") == set()


def test_a_row_says_whose_and_what_it_is(world: World) -> None:
    query = "SELECT serial, meter, carrier, unit, role, uscc, enterprise, day::text, energy::text FROM look.day"
    assert world.seen("enterprise", f"{query} ORDER BY day LIMIT 1") == [
        (
            "alpha-meter-0", "meter alpha-meter-0", "electricity", "kWh", "boundary", ALPHA[0], "alpha works 0",
            "2025-03-01", "10.5",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "view", ["enterprise", "meter", "gateway", "series", "completeness", "hole", "reading_gauge", "day", "area"]
)
def test_a_park_sees_its_own_in_every_view_and_as_much_as_the_other(world: World, view: str) -> None:
    own, others = (world.look(name, view, "*") for name in ("park", "other"))
    assert own
    assert len(own) == len(others)
    assert "bravo" not in str(own)
    assert "alpha" not in str(others)


def test_an_area_is_shown_with_what_is_around_it(world: World) -> None:
    assert world.seen("park", "SELECT area FROM look.area ORDER BY area") == [("alpha-park",), ("the-district",)]
    assert len(world.seen("district", "SELECT area FROM look.area")) >= 3


def test_returns_of_single_enterprises_are_the_statistics_roles_alone(world: World) -> None:
    units = "SELECT count(*) FROM look.observation WHERE uscc IS NOT NULL"
    members = "SELECT member FROM look.evidence WHERE legal_basis = 'statistical'"
    for kind in KINDS:
        alone = kind is Kind.STATISTICS
        assert world.seen(kind.value, units) == [(6 if alone else 0,)]
        assert world.seen(kind.value, members) == ([(ALPHA[0],)] if alone else [])
    assert world.seen("park", "SELECT subject FROM look.observation") == [("alpha-park",)]
    assert len(world.seen("district", "SELECT subject FROM look.observation")) == 2


def test_the_api_never_shows_returns_of_single_enterprises(world: World) -> None:
    for kind in ("district", "auditor"):
        with world.session("api") as api, api.transaction():
            api.execute("SELECT access.assume(%s, 'li')", [kind])
            assert api.execute("SELECT count(*) FROM look.observation WHERE uscc IS NOT NULL").fetchone() == (0,)
            assert api.execute("SELECT count(*) FROM look.observation").fetchone() == (2,)


def test_evidence_opens_to_members_as_far_as_their_basis_allows(world: World) -> None:
    def members(name: str) -> list[str]:
        return [member for (member,) in world.seen(name, "SELECT member FROM look.evidence ORDER BY member")]

    assert members("district") == [ALPHA[1], BRAVO[0]]
    assert members("park") == [ALPHA[1]]
    assert members("enterprise") == []
    assert members("statistics") == [ALPHA[0], ALPHA[1], BRAVO[0]]


def test_withdrawn_consent_takes_effect_that_day_for_everything_it_had_covered(own_world: World) -> None:
    world, day = own_world, today(own_world)
    for name, purpose in (("park", "park_view"), ("district", "statistics")):
        for until, seen in ((day + timedelta(days=1), True), (day, False)):
            world.run(
                "UPDATE registry.consent SET valid_to = %s WHERE uscc = %s AND purpose = %s", [until, ALPHA[1], purpose]
            )
            for view in ("day", "hour", "quarter", "reading_gauge", "completeness"):
                found = world.look(name, view, "count(*) > 0", uscc=ALPHA[1])
                assert found == [(seen,)], (name, view, until)
    assert world.look("park", "enterprise", uscc=ALPHA[1]) == [(0,)]
    assert world.look("district", "evidence", member=ALPHA[1]) == [(0,)]
    assert world.look("park", "evidence", member=ALPHA[1]) == [(0,)]
    world.grant("self", Kind.ENTERPRISE, uscc=ALPHA[1])
    assert world.seen("self", "SELECT count(*) FROM look.day") == [(2,)]


def test_only_days_that_a_consent_covers_are_shown(own_world: World) -> None:
    world = own_world
    world.run("DELETE FROM registry.consent WHERE uscc = %s AND purpose = 'park_view'", [ALPHA[0]])
    world.consent(ALPHA[0], "park_view", date(2025, 1, 1), date(2025, 3, 2))
    world.consent(ALPHA[0], "park_view", date(2025, 6, 1))
    assert world.look("park", "day", "day::text", uscc=ALPHA[0]) == [("2025-03-01",)]
    for grain in ("hour", "quarter"):
        assert world.look("park", grain, uscc=ALPHA[0]) == [(1,)]
    assert world.look("park", "month", uscc=ALPHA[0]) == [(0,)]
    world.consent(ALPHA[0], "park_view", date(2025, 3, 2), date(2025, 6, 1))
    assert world.look("park", "month", "month::text, energy::text", uscc=ALPHA[0]) == [("2025-03-01", "21.0")]


def test_an_enterprise_that_moves_takes_nothing_along(own_world: World) -> None:
    world, moved = own_world, date(2025, 3, 2)
    world.run("UPDATE registry.enterprise_area SET valid_to = %s WHERE uscc = %s", [moved, ALPHA[2]])
    world.fact("enterprise_area", uscc=ALPHA[2], area="bravo-park", valid_from=moved)
    world.run(
        "UPDATE energy.day SET holder_id = %s WHERE day = %s AND meter_id ="
        " (SELECT meter_id FROM registry.meter WHERE serial = 'alpha-meter-2')",
        [world.holder(ALPHA[2], "bravo-park"), moved],
    )
    series = world.number("SELECT series_id FROM ingest.series WHERE gateway = 'alpha-gateway-2'")
    world.reading(series, at(moved), "3")
    for name, days in (("park", ["2025-03-01"]), ("other", ["2025-03-02"])):
        assert world.look(name, "day", "day::text", uscc=ALPHA[2]) == [(day,) for day in days]
        found = world.look(name, "reading_gauge", "t", uscc=ALPHA[2])
        assert [t.astimezone(SHANGHAI).date().isoformat() for (t,) in found] == days
    assert world.seen("park", "SELECT count(*) FROM look.gateway WHERE gateway = 'alpha-gateway-2'") == [(0,)]
    assert world.seen("other", "SELECT count(*) FROM look.gateway WHERE gateway = 'alpha-gateway-2'") == [(1,)]


def test_a_gateway_that_moves_to_another_enterprise_shows_each_its_own_time(own_world: World) -> None:
    world, moved = own_world, date(2025, 3, 2)
    world.run("UPDATE registry.gateway_binding SET valid_to = %s WHERE gateway = 'alpha-gateway-0'", [at(moved)])
    world.gateway("alpha-gateway-0", BRAVO[0], moved)
    series = world.number("SELECT series_id FROM ingest.series WHERE gateway = 'alpha-gateway-0'")
    world.reading(series, at(moved), "3")
    assert world.look("park", "reading_gauge", "v", series_id=series) == [(10.5,)]
    assert world.look("other", "reading_gauge", "v", series_id=series) == [(3.0,)]
    for view in ("gateway", "hole"):
        for name, seen in (("park", 0), ("other", 1)):
            assert world.look(name, view, gateway="alpha-gateway-0") == [(seen,)]


def test_a_placement_that_begins_anew_on_a_day_counts_its_energy_once(own_world: World) -> None:
    world = own_world
    meter = world.number("SELECT meter_id FROM registry.meter WHERE serial = 'alpha-meter-0'")
    noon = at(date(2025, 3, 2)) + timedelta(hours=12)
    world.run("UPDATE registry.meter_placement SET valid_to = %s WHERE meter_id = %s", [noon, meter])
    world.fact("meter_placement", meter_id=meter, uscc=ALPHA[0], role="sub", name="renamed", valid_from=noon)
    assert world.seen("enterprise", "SELECT day::text, role FROM look.day ORDER BY day") == [
        ("2025-03-01", "boundary"),
        ("2025-03-02", "sub"),
    ]
    assert world.seen("enterprise", "SELECT role, energy::text FROM look.month") == [("sub", "21.0")]
    assert world.seen("enterprise", "SELECT count(*) FROM look.hour") == [(2,)]


def test_a_figure_of_areas_is_of_what_is_visible(world: World) -> None:
    query = "SELECT area, energy::text, meters, enterprises FROM look.area_month ORDER BY area"
    assert world.seen("park", query) == [("alpha-park", "63.0", 3, 3)]
    assert [row[0] for row in world.seen("district", query)] == ["alpha-park", "bravo-park"]
