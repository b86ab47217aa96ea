"""Group figures: nobody's own figure follows from what is shown, not even by taking the shown from the whole."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from fractions import Fraction

import pytest

from tests.warehouse.access.world import World, code

PARKS = [f"park-{number}" for number in range(4)]
MONTHS = [date(2020 + number // 12, number % 12 + 1, 1) for number in range(48)]
LEAST, LARGEST = 3, Fraction(4, 5)
SHOWN = "SELECT area, month, energy, members, withheld FROM published.park_month"
Members = dict[tuple[str, str | None], int]
"""Energy by enterprise and park (null: in none) of one month."""


def plant(world: World, month: date, members: Members) -> None:
    for (uscc, park), energy in members.items():
        meter = world.number("SELECT meter_id FROM registry.meter WHERE serial = %s", [uscc])
        holder = world.number(
            "SELECT holder_id FROM energy.holder WHERE uscc = %s AND areas = %s", [uscc, [park] if park else []]
        )
        world.run(
            "INSERT INTO energy.month (meter_id, feed_in, month, holder_id, energy, measured, estimated, unknown)"
            " VALUES (%s, false, %s, %s, %s, 96, 0, 0)",
            [meter, month, holder, energy],
        )


def firms(world: World, count: int, areas: list[list[str]]) -> list[str]:
    codes = [code(500 + number) for number in range(count)]
    for uscc in codes:
        world.enterprise(uscc, f"firm {uscc}", None, consents=("statistics",))
        world.run("UPDATE registry.consent SET valid_from = '2000-01-01' WHERE uscc = %s", [uscc])
        world.meter(uscc, uscc)
        world.run("UPDATE registry.meter_placement SET valid_from = '2000-01-01' WHERE uscc = %s", [uscc])
        for area in areas:
            world.holder(uscc, *area)
    return codes


@pytest.fixture
def parks(own_world: World) -> World:
    for park in PARKS:
        own_world.area(park)
    own_world.run("DELETE FROM energy.month")
    return own_world


def test_a_figure_needs_members_and_none_that_dominates(parks: World) -> None:
    one, two, three, four = firms(parks, 4, [["park-0"], []])
    few, even, large = MONTHS[0], MONTHS[1], MONTHS[2]
    plant(parks, few, {(one, "park-0"): 10, (two, "park-0"): 10})
    plant(parks, even, {(one, "park-0"): 10, (two, "park-0"): 10, (three, "park-0"): 10})
    plant(parks, large, {(one, "park-0"): 100, (two, "park-0"): 1, (three, "park-0"): 1, (four, "park-0"): 1})
    assert parks.seen("enterprise", f"{SHOWN} ORDER BY month, area") == [
        ("district", few, None, None, "too_few"),
        ("park-0", few, None, None, "too_few"),
        ("district", even, 30, 3, None),
        ("park-0", even, 30, 3, None),
        ("district", large, None, None, "too_few"),
        ("park-0", large, None, None, "too_few"),
    ]


def test_withdrawn_consent_leaves_the_figure(parks: World) -> None:
    codes = firms(parks, 4, [["park-0"]])
    plant(parks, MONTHS[0], {(uscc, "park-0"): 10 for uscc in codes})
    assert parks.seen("park", f"{SHOWN} WHERE area = 'park-0'") == [("park-0", MONTHS[0], 40, 4, None)]
    parks.run("UPDATE registry.consent SET valid_to = access.today() WHERE uscc = %s", [codes[0]])
    assert parks.seen("park", f"{SHOWN} WHERE area = 'park-0'") == [("park-0", MONTHS[0], 30, 3, None)]
    parks.run("UPDATE registry.consent SET valid_to = access.today() WHERE uscc = %s", [codes[1]])
    assert parks.seen("park", f"{SHOWN} WHERE area = 'park-0'") == [("park-0", MONTHS[0], None, None, "too_few")]


def test_a_district_whose_members_are_in_two_parks_is_not_set_against_them(parks: World) -> None:
    codes = firms(parks, 4, [["park-0"], ["park-0", "park-1"]])
    plant(parks, MONTHS[0], {(uscc, "park-0"): 10 for uscc in codes})
    parks.run(
        "UPDATE energy.month SET holder_id = "
        " (SELECT holder_id FROM energy.holder WHERE uscc = %s AND areas[2] = 'park-1')"
        " WHERE meter_id = (SELECT meter_id FROM registry.meter WHERE serial = %s)",
        [codes[0], codes[0]],
    )
    found = {area: withheld for area, _, _, _, withheld in parks.seen("park", SHOWN)}
    assert found == {"park-0": None, "park-1": "too_few", "district": "would_tell_another"}


def test_the_latest_rule_that_has_begun_counts(parks: World) -> None:
    codes = firms(parks, 4, [["park-0"]])
    plant(parks, MONTHS[0], {(uscc, "park-0"): 10 for uscc in codes})
    parks.run("INSERT INTO access.disclosure_rule VALUES (access.today(), 5, 0.8, 'd'), ('2999-01-01', 3, 0.8, 'd')")
    assert {row[4] for row in parks.seen("park", SHOWN)} == {"too_few"}


def test_nothing_follows_from_what_is_shown(parks: World) -> None:
    """Random months: each shown figure is of enough members, and so is the whole less every figure that is shown."""
    dice = random.Random(20260101)  # noqa: S311  (worlds to test with, the same each time)
    codes = firms(parks, 14, [[park] for park in PARKS] + [[]])
    worlds: dict[date, Members] = {}
    for month in MONTHS:
        chosen = dice.sample(codes, dice.randint(1, len(codes)))
        worlds[month] = {
            (uscc, dice.choice([*PARKS[: dice.randint(1, 4)], None])): dice.choice([0, 1, 2, 5, 10, 1_000])
            for uscc in chosen
        }
        plant(parks, month, worlds[month])
    shown: dict[date, dict[str, int]] = defaultdict(dict)
    for area, month, energy, members, withheld in parks.seen("district", SHOWN):
        assert (energy is None) == (members is None) == (withheld is not None)
        if withheld is None:
            shown[month][area] = energy
    assert any(set(areas) > {"district"} for areas in shown.values())
    for month, areas in shown.items():
        members = worlds[month]
        for area, energy in areas.items():
            inside = [value for (_, park), value in members.items() if area in ("district", park)]
            assert energy == sum(inside)
            assert discloses_nothing(inside), (month, area)
        if "district" in areas:
            rest = [value for (_, park), value in members.items() if park not in areas]
            assert not rest or discloses_nothing(rest), (month, areas)


def discloses_nothing(members: list[int]) -> bool:
    return len(members) >= LEAST and max(members) <= LARGEST * sum(members)
