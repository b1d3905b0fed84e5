"""Tests of locations, rotated to the acting team's view."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.silver.play_builders import (
    AWAY,
    BLOCKER,
    HOME,
    SHOOTER,
    build_row,
    build_rows,
    make_page,
    make_play,
    make_shot,
)
from tests.support.examples import try_examples

SIDES = st.sampled_from(["left", "right"])
OPPOSITE = {"left": "right", "right": "left"}
PLACES = st.tuples(st.integers(-100, 100), st.integers(-42, 42))


def at(x: int, y: int = 0) -> dict[str, int]:
    return {"xCoord": x, "yCoord": y}


@pytest.mark.parametrize(
    ("by", "side", "rotation"),
    [(SHOOTER, "left", 1), (SHOOTER, "right", -1), (BLOCKER, "left", -1), (BLOCKER, "right", 1)],
)
def test_team_attacks_away_from_the_side_that_it_defends(by: int, side: str, rotation: int):
    row = build_row(make_shot(by=by, details=at(50, -16), homeTeamDefendingSide=side))

    assert (row["x_ft"], row["y_ft"]) == (50 * rotation, -16 * rotation)
    assert (row["x_raw_ft"], row["y_raw_ft"], row["coordinates_source"]) == (50, -16, "page")


@pytest.mark.parametrize(
    ("x", "y", "distance_ft", "angle_deg"),
    [
        (50, -16, 42.2, 22.3),
        (81, 1, 8.1, 7.1),
        (83, 0, 6, 0),
        (-72, -15, 161.7, 5.3),
        (95, 8, 10, 126.9),
        (99, 0, 10, 180),
    ],
)
def test_distance_and_angle_are_to_the_center_of_the_net(x: int, y: int, distance_ft: float, angle_deg: float):
    row = build_row(make_shot(details=at(x, y)))

    assert (row["distance_ft"], row["angle_deg"]) == (
        pytest.approx(distance_ft, abs=0.1),
        pytest.approx(angle_deg, abs=0.1),
    )


@pytest.mark.parametrize(
    ("x", "zone"), [(26, "O"), (25, "O"), (24, "N"), (0, "N"), (-24, "N"), (-25, "D"), (-26, "D"), (99, "O")]
)
def test_blue_line_belongs_to_the_zone_behind_it(x: int, zone: str):
    assert build_row(make_shot(details=at(x)))["zone"] == zone


def test_blocked_shot_has_a_location_and_zone_but_no_distance():
    row = build_row(make_shot("blocked-shot", details=at(70) | {"zoneCode": "D"}))

    assert (row["x_ft"], row["zone"], row["zone_code_raw"]) == (70, "O", "D")
    assert (row["distance_ft"], row["angle_deg"]) == (None, None)


def test_event_without_a_location_has_null_columns():
    row = build_row(make_shot(details={"xCoord": None, "yCoord": None}))

    names = ("x_ft", "y_ft", "zone", "distance_ft", "angle_deg", "coordinates_source")
    assert {row[name] for name in names} == {None}


def test_row_without_a_side_takes_that_of_its_period():
    faceoff = make_play(
        "faceoff", number=2, homeTeamDefendingSide=None, details={"eventOwnerTeamId": AWAY, **at(-69, 22)}
    )

    found = build_rows(make_page(make_shot(number=1, details=at(60)), faceoff)).to_dicts()[1]

    assert (found["x_ft"], found["y_ft"], found["coordinates_source"]) == (69, -22, "page")


def test_teams_may_change_ends_within_a_period():
    # at half-time of each period, when one end of the ice is bad: as in 2023-24
    before, after = (
        make_shot(number=1, details=at(60)),
        make_shot(number=2, details=at(-60), homeTeamDefendingSide="right"),
    )
    silent = make_shot(number=3, details=at(-60), homeTeamDefendingSide=None)

    assert build_rows(make_page(before, after))["x_ft"].to_list() == [60, 60]
    assert build_rows(make_page(before, after, silent))["coordinates_source"].to_list() == ["page", "page", None]


def drop_sides(*places: int, period: int = 1, by: int = SHOOTER, first: int = 1) -> list[dict[str, Any]]:
    return [
        make_shot(by=by, number=first + n, period=period, details=at(x), homeTeamDefendingSide=None)
        for n, x in enumerate(places)
    ]


def test_shots_of_a_period_show_the_side():
    events = [*drop_sides(-60, -70, -80, 40), *drop_sides(60, 70, by=BLOCKER, first=11)]

    found = build_rows(make_page(*events))

    assert found["x_ft"].to_list() == [60, 70, 80, -40, 60, 70]
    assert set(found["coordinates_source"]) == {"inferred"}


def test_unclear_period_follows_from_the_others():
    events = [
        *drop_sides(60, 70, 80),
        *drop_sides(50, -50, period=2, first=11),
        *drop_sides(10, period=3, first=21),
        *drop_sides(60, period=5, first=31),
    ]

    assert build_rows(make_page(*events))["x_ft"].to_list() == [60, 70, 80, -50, 50, 10, 60]


def test_side_is_unknown_if_no_shots_show_it():
    found = build_rows(make_page(*drop_sides(50, -50, 10)))

    assert found["x_ft"].to_list() == [None] * 3
    assert found["coordinates_source"].to_list() == [None] * 3


def test_side_contradicted_by_shots_is_not_used():
    denied = [make_shot(number=n, details=at(-60)) for n in range(8)]

    found = build_rows(make_page(*denied, make_play("hit", number=20, details={"eventOwnerTeamId": HOME, **at(-90)})))

    assert found["x_ft"].to_list() == [60] * 8 + [90]
    assert set(found["coordinates_source"]) == {"inferred"}


def test_few_long_shots_do_not_contradict_the_side():
    assert (
        build_rows(make_page(*(make_shot(number=n, details=at(-60)) for n in range(7))))["x_ft"].to_list() == [-60] * 7
    )
    mixed = [make_shot(number=n, details=at(-60 if n < 5 else 60)) for n in range(10)]
    assert build_rows(make_page(*mixed))["x_ft"].to_list() == [-60] * 5 + [60] * 5


@try_examples(25)
@given(st.lists(st.tuples(PLACES, st.sampled_from([SHOOTER, BLOCKER]), SIDES), min_size=1, max_size=30))
def test_rotating_the_rink_changes_nothing(shots: list[tuple[tuple[int, int], int, str]]):
    def make_game(rotation: int) -> Any:
        events = [
            make_shot(
                by=by,
                number=n,
                details=at(rotation * x, rotation * y),
                homeTeamDefendingSide=side if rotation > 0 else OPPOSITE[side],
            )
            for n, ((x, y), by, side) in enumerate(shots)
        ]
        return build_rows(make_page(*events))

    here, there = make_game(1), make_game(-1)

    assert here.drop("x_raw_ft", "y_raw_ft").equals(there.drop("x_raw_ft", "y_raw_ft"))
    assert here["x_raw_ft"].to_list() == [x for (x, _), _, _ in shots]


@try_examples(25)
@given(st.lists(PLACES, min_size=1, max_size=30))
def test_distance_is_the_same_from_both_wings(places: list[tuple[int, int]]):
    left, right = (
        build_rows(make_page(*(make_shot(number=n, details=at(x, wing * y)) for n, (x, y) in enumerate(places))))
        for wing in (1, -1)
    )

    names = ["distance_ft", "angle_deg", "zone"]
    assert left.select(names).equals(right.select(names))
    assert left["angle_deg"].is_between(0, 180).all()
    assert (left["distance_ft"] >= (89 - left["x_ft"]).abs()).all()
