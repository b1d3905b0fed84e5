"""Tests of shifts, on handwritten charts and reports."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.schema import checks as check
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.quality.shifts import check_ice_time, check_shifts
from nhl_lake.silver.shifts import SHIFTS
from tests.silver import builders
from tests.silver.bronze_pages import build_table
from tests.silver.builders import AWAY, GAME, HOME, NO_PAGES, make_chart, make_chart_row, make_lineup_row, make_report
from tests.support.examples import try_examples

LINEUP = builders.make_lineups(
    make_lineup_row(71),
    make_lineup_row(91),
    make_lineup_row(30, position="G"),
    make_lineup_row(171, AWAY),
    make_lineup_row(130, AWAY, "G"),
)
CLEAN = make_chart_row(71, "00:30", "01:10", "00:40")
HOME_REPORT = make_report(("71 SURNAME, FIRST", ["1|1|0:30 / 19:30|1:10 / 18:50|00:40|&nbsp;"], []))
AWAY_REPORT = make_report(("71 OTHER, ONE", ["1|1|2:00 / 18:00|2:45 / 17:15|00:45|G"], []))


def make_inputs(
    charts: pl.LazyFrame = NO_PAGES,
    home: pl.LazyFrame = NO_PAGES,
    away: pl.LazyFrame = NO_PAGES,
    lineup: pl.LazyFrame = LINEUP,
    games: pl.LazyFrame | None = None,
    goalies: pl.LazyFrame | None = None,
) -> tuple[pl.LazyFrame, ...]:
    official = builders.make_skater_games(), builders.make_goalie_games() if goalies is None else goalies
    return charts, home, away, lineup, builders.make_games() if games is None else games, *official


def build_chart_shifts(*rows: dict[str, Any], **others: pl.LazyFrame) -> list[tuple[object, ...]]:
    """Return player, team, period, start and end of the shifts of a chart."""
    return select_spans(build_shifts(*make_inputs(make_chart(*rows), **others)))


def build_shifts(*pages: pl.LazyFrame) -> pl.DataFrame:
    """Build shifts from the rows listed on pages."""
    return build_table(SHIFTS, build_listed(*pages).lazy(), pages[3])


def build_listed(*pages: pl.LazyFrame) -> pl.DataFrame:
    found = build_table(LISTED_SHIFTS, *pages)
    check.validate_rows(LISTED_SHIFTS, found)
    return found


def select_spans(shifts: pl.DataFrame) -> list[tuple[object, ...]]:
    check.validate_rows(SHIFTS, shifts)
    return shifts.select("player_id", "team_id", "period", "start_seconds", "end_seconds").rows()


def find_failed_checks(*pages: pl.LazyFrame, **others: pl.LazyFrame) -> dict[str, tuple[str, str | None, str]]:
    about = make_inputs(*pages, **others)
    lines, lineup = build_listed(*about), about[3]
    found = check_shifts(lines.lazy(), build_table(SHIFTS, lines.lazy(), lineup).lazy(), lineup).collect()
    assert found.columns == ["season", "game_id", "check", "severity", "expected", "actual"]
    return {name: rest for name, *rest in map(list, found.drop("season", "game_id").rows())}


def test_shift_is_one_row():
    assert build_shifts(*make_inputs(make_chart(CLEAN))).to_dicts() == [
        {
            "season": 20232024,
            "game_id": GAME,
            "player_id": 71,
            "team_id": HOME,
            "period": 1,
            "start_seconds": 30,
            "end_seconds": 70,
            "shift_source": "chart",
            "listed_rows": 1,
        }
    ]


def test_schema_is_the_declared_one_even_without_pages():
    assert build_shifts(*make_inputs()).schema == SHIFTS.schema
    assert build_shifts(*make_inputs(make_chart())).is_empty()
    assert build_shifts(
        *make_inputs(make_chart(CLEAN), lineup=builders.make_lineups(), games=builders.make_games())
    ).is_empty()


@pytest.mark.parametrize(
    "goal",
    [
        make_chart_row(71, "00:50", "00:50", None, typeCode=505, eventDescription="EVG"),
        make_chart_row(71, "00:50", "00:50", None, typeCode=None, eventDescription="PPG"),
        make_chart_row(71, "00:50", "01:50", "01:00", typeCode=505),
    ],
)
def test_goal_among_the_shifts_is_left_out(goal: dict[str, Any]):
    assert build_chart_shifts(CLEAN, goal) == [(71, HOME, 1, 30, 70)]
    assert "every shift ends after it starts" not in find_failed_checks(make_chart(CLEAN, goal))


def test_old_chart_has_no_codes():
    assert build_chart_shifts(make_chart_row(71, "00:30", "01:10", "00:40", typeCode=None)) == [(71, HOME, 1, 30, 70)]
    assert build_chart_shifts({k: v for k, v in CLEAN.items() if k != "typeCode"}) == [(71, HOME, 1, 30, 70)]


def test_shift_repeated_under_another_id_or_number_is_one():
    assert build_chart_shifts(CLEAN, {**CLEAN, "id": 2}, {**CLEAN, "id": 3, "shiftNumber": 2}) == [
        (71, HOME, 1, 30, 70)
    ]


def test_shift_repeated_under_another_team_is_one_in_any_order():
    foreign = {**CLEAN, "teamId": 99}

    assert build_chart_shifts(CLEAN, foreign) == build_chart_shifts(foreign, CLEAN) == [(71, HOME, 1, 30, 70)]


def test_overlapping_shifts_of_a_player_are_one():
    overlapping = [make_chart_row(71, "01:00", "01:30", "00:30"), make_chart_row(71, "00:40", "00:50", "00:10")]

    assert build_chart_shifts(CLEAN, *overlapping) == [(71, HOME, 1, 30, 90)]


def test_adjacent_shifts_are_separate():
    assert build_chart_shifts(CLEAN, make_chart_row(71, "01:10", "01:30", "00:20")) == [
        (71, HOME, 1, 30, 70),
        (71, HOME, 1, 70, 90),
    ]


def test_shifts_of_two_players_or_periods_do_not_overlap():
    assert len(build_chart_shifts(CLEAN, {**CLEAN, "playerId": 91}, {**CLEAN, "period": 2})) == 3


@pytest.mark.parametrize(
    ("end", "duration"), [("", "00:00"), ("", None), ("01:10", "00:00"), ("00:30", "00:00"), (None, None)]
)
def test_row_without_an_end_is_not_a_shift(end: str, duration: str | None):
    assert build_chart_shifts(CLEAN, make_chart_row(71, "02:00", end, duration)) == [(71, HOME, 1, 30, 70)]


def test_clock_rolled_over_to_zero_is_read_by_the_length():
    assert build_chart_shifts(make_chart_row(71, "19:20", "00:00", "00:40")) == [(71, HOME, 1, 1160, 1200)]


@pytest.mark.parametrize(
    "invalid",
    [
        make_chart_row(99, "00:30", "01:10", "00:40"),
        make_chart_row(99, "00:30", "01:10", "00:40", playerId=None),
        make_chart_row(71, "02:30", "03:10", "00:40", teamId=99),
        make_chart_row(71, "19:30", "20:10", "00:40"),
        make_chart_row(71, "02:30", "03:10", "00:40", period=5),
        make_chart_row(71, "02:30", "03:10", "00:40", period=None),
        make_chart_row(71, "02:30", "03:10", "00:40", period=0),
    ],
)
def test_unknown_players_other_teams_and_impossible_times_are_left_out(invalid: dict[str, Any]):
    assert build_chart_shifts(CLEAN, invalid) == [(71, HOME, 1, 30, 70)]


def test_fifth_period_of_a_playoff_game_counts():
    second_overtime = make_chart_row(71, "00:30", "01:10", "00:40", period=5)
    playoff = builders.make_games(builders.make_game(game_type=3, last_period_type="OT"))
    round_robin = builders.make_games(builders.make_game(game_type=3, last_period_type="SO"))

    assert build_chart_shifts(second_overtime, games=playoff) == [(71, HOME, 5, 30, 70)]
    assert build_chart_shifts(second_overtime, games=round_robin) == []


def test_team_is_that_of_the_lineup():
    assert build_chart_shifts({**CLEAN, "teamId": AWAY}) == [(71, HOME, 1, 30, 70)]


def test_scratched_player_has_no_shifts():
    lineup = builders.make_lineups(make_lineup_row(91), make_lineup_row(71, is_scratched=True, position=None))

    assert build_chart_shifts(CLEAN, lineup=lineup) == []


def test_game_that_is_not_final_has_no_shifts():
    assert build_chart_shifts(CLEAN, lineup=builders.make_lineups()) == []


def test_shift_with_an_invalid_period_is_left_out_and_reported():
    assert build_chart_shifts({**CLEAN, "period": "first"}) == []
    assert find_failed_checks(make_chart({**CLEAN, "period": "first"}))["every shift has a period"] == [
        "warning",
        "0",
        "1",
    ]


def test_reports_replace_a_missing_chart_by_team_and_number():
    found = build_shifts(*make_inputs(make_chart(), HOME_REPORT, AWAY_REPORT))

    assert select_spans(found) == [(71, HOME, 1, 30, 70), (171, AWAY, 1, 120, 165)]
    assert found["shift_source"].unique().to_list() == ["report"]


def test_one_report_is_not_enough():
    assert select_spans(build_shifts(*make_inputs(make_chart(), HOME_REPORT))) == []
    assert select_spans(build_shifts(*make_inputs(make_chart(), NO_PAGES, AWAY_REPORT))) == []


def test_complete_chart_is_preferred_and_a_truncated_one_is_not():
    complete = [
        make_chart_row(71, "00:30", "01:10", "00:40"),
        make_chart_row(171, "02:00", "02:45", "00:45", teamId=AWAY),
    ]
    from_whole = build_shifts(*make_inputs(make_chart(*complete), HOME_REPORT, AWAY_REPORT))
    from_part = build_shifts(*make_inputs(make_chart(complete[0]), HOME_REPORT, AWAY_REPORT))

    assert select_spans(from_whole) == select_spans(from_part)
    assert from_whole["shift_source"].unique().to_list() == ["chart"]
    assert from_part["shift_source"].unique().to_list() == ["report"]


@pytest.mark.parametrize(
    ("line", "shift"),
    [
        ("1|OT|0:30 / 4:30|1:10 / 3:50|00:40|&nbsp;", (4, 30, 70)),
        ("1|4|0:30 / 19:30|1:10 / 18:50|00:40|&nbsp;", (4, 30, 70)),
        ("1|3|19:20 / 0:40|0:00 / 0:00|00:40|&nbsp;", (3, 1160, 1200)),
        (" 1 | 2 |\t0:30 / 19:30|1:10\n/ 18:50|00:40|GP", (2, 30, 70)),
    ],
)
def test_line_of_a_report_is_read(line: str, shift: tuple[int, ...]):
    home = make_report(("71 SURNAME, FIRST", [line], []))
    found = build_shifts(*make_inputs(make_chart(), home, make_report()))

    assert select_spans(found) == [(71, HOME, *shift)]


def test_number_worn_by_two_players_matches_nobody():
    lineup = builders.make_lineups(
        make_lineup_row(71), make_lineup_row(1071), make_lineup_row(91), make_lineup_row(130, AWAY, "G")
    )
    home = make_report(*[(f"{n} A, B", ["1|1|0:30 / 19:30|1:10 / 18:50|00:40|&nbsp;"], []) for n in (71, 91)])

    assert select_spans(build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT, lineup=lineup))) == [
        (91, HOME, 1, 30, 70)
    ]


def test_goalie_with_only_a_full_period_total_played_all_of_it():
    complete, part = "1|1|20:00|20:00|20:00|00:00|00:00", "2|1|15:00|15:00|15:00|00:00|00:00"
    lines = [f"{period}|{period}|19:00 / 1:00|20:00 / 0:00|01:00|&nbsp;" for period in (1, 2)]
    home = make_report(("30 GOALIE, A", [], [complete, part]), ("71 SURNAME, FIRST", lines, []))

    found = build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT))

    assert [row for row in select_spans(found) if row[0] == 30] == [(30, HOME, 1, 0, 1200), (30, HOME, 2, 0, 900)]


def test_goalie_with_a_smaller_total_played_from_the_start():
    complete = ["1|1|0:00 / 20:00|20:00 / 0:00|20:00|&nbsp;"]
    home = make_report(
        ("30 GOALIE, A", [], ["1|0|19:10|19:10|19:10|00:00|00:00"]),
        ("71 SURNAME, FIRST", complete, []),
    )
    found = build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT))

    assert [row for row in select_spans(found) if row[0] == 30] == [(30, HOME, 1, 0, 1150)]
    assert found.filter(pl.col("player_id") == 30)["listed_rows"].to_list() == [0]


def test_goalie_who_returned_for_a_sixth_skater_was_out_before():
    five = [(f"{n} A, B", ["1|1|0:00 / 20:00|20:00 / 0:00|20:00|&nbsp;"], []) for n in (91, 72, 73, 74)]
    sixth = ("75 A, B", ["1|1|17:00 / 3:00|17:40 / 2:20|00:40|&nbsp;"], [])
    lineup = builders.make_lineups(
        *(make_lineup_row(n) for n in (71, 91, 72, 73, 74, 75)), make_lineup_row(30, position="G")
    )
    complete = ["1|1|0:00 / 20:00|20:00 / 0:00|20:00|&nbsp;"]
    sums = ["1|0|19:10|19:10|19:10|00:00|00:00"]
    home = make_report(("30 GOALIE, A", [], sums), ("71 SURNAME, FIRST", complete, []), *five, sixth)

    found = build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT, lineup=lineup))

    assert [row[3:] for row in select_spans(found) if row[0] == 30] == [(0, 1010), (1060, 1200)]


@pytest.mark.parametrize(
    ("other", "printed", "shift"),
    [
        ("0:00 / 20:00|12:00 / 8:00|12:00", "08:00", (720, 1200)),
        ("0:00 / 20:00|12:00 / 8:00|12:00", "07:30", (720, 1170)),
        ("12:00 / 8:00|20:00 / 0:00|08:00", "12:00", (0, 720)),
        ("12:00 / 8:00|20:00 / 0:00|08:00", "11:40", (0, 700)),
        ("12:00 / 8:00|20:00 / 0:00|08:00", "20:00", (0, 720)),
    ],
)
def test_goalie_who_shared_the_period_played_while_the_other_did_not(other: str, printed: str, shift: tuple[int, int]):
    lineup = builders.make_lineups(
        make_lineup_row(71), make_lineup_row(30, position="G"), make_lineup_row(35, position="G")
    )
    home = make_report(
        ("30 GOALIE, A", [], [f"1|0|{printed}|{printed}|{printed}|00:00|00:00"]),
        ("35 GOALIE, B", [f"1|1|{other}|&nbsp;"], []),
        ("71 SURNAME, FIRST", ["1|1|0:00 / 20:00|20:00 / 0:00|20:00|&nbsp;"], []),
    )

    found = build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT, lineup=lineup))

    assert [row[3:] for row in select_spans(found) if row[0] == 30] == [shift]


def test_skater_with_only_a_partial_total_has_no_shift():
    home = make_report(
        ("71 SURNAME, FIRST", [], ["1|0|10:00|10:00|10:00|00:00|00:00"]),
        ("91 OTHER, A", ["1|1|0:00 / 20:00|20:00 / 0:00|20:00|&nbsp;"], []),
    )

    assert [
        row for row in select_spans(build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT))) if row[0] == 71
    ] == []


@pytest.mark.parametrize(("printed", "found"), [("19:10", ["warning", "0", "1"]), ("20:00", None)])
def test_partial_period_with_only_a_total_is_reported(printed: str, found: list[str] | None):
    complete = "1|1|0:00 / 20:00|20:00 / 0:00|20:00|&nbsp;"
    sums = [f"1|0|{printed}|{printed}|{printed}|00:00|00:00"]
    home = make_report(("30 GOALIE, A", [], sums), ("71 SURNAME, FIRST", [complete], []))

    assert (
        find_failed_checks(make_chart(), home, AWAY_REPORT).get("a goalie's shifts are listed, not only their total")
        == found
    )


BLANK = "&nbsp;"


@pytest.mark.parametrize(
    ("rows", "sums", "period"),
    [
        # only one period's total has room, wherever the row is
        ([(2, 0), (3, 0), (BLANK, 0)], [1, 2, 3], 1),
        ([(1, 0), (BLANK, 0), (3, 0)], [1, 2, 3], 2),
        ([(1, 0), (2, 0), (BLANK, 0)], [1, 2, 3], 3),
        # without sums, those around it
        ([(1, 0), (BLANK, 5), (1, 9), (2, 3)], [], 1),
        ([(1, 9), (BLANK, 5), (2, 9)], [], 2),
        ([(1, 9), (BLANK, 5), (3, 3)], [], 2),
        ([(BLANK, 5), (1, 9)], [], 1),
        # several would do
        ([(1, 3), (BLANK, 5), (2, 9)], [], None),
        ([(1, 9), (BLANK, 5)], [], None),
        ([(BLANK, 5)], [], None),
    ],
)
def test_row_with_a_blank_period_takes_that_of_its_place(
    rows: list[tuple[int | str, int]], sums: list[int], period: int | None
):
    lines = [f"{n}|{p}|{m}:00 / {20 - m}:00|{m + 1}:00 / {19 - m}:00|01:00|&nbsp;" for n, (p, m) in enumerate(rows, 1)]
    printed = [f"{p}|1|01:00|01:00|01:00|00:00|00:00" for p in sums]
    about = (make_chart(), make_report(("71 SURNAME, FIRST", lines, printed)), AWAY_REPORT)
    known = sorted((p, 60 * m) for p, m in rows if isinstance(p, int))
    (minute,) = [m for p, m in rows if p == BLANK]

    found = sorted((row[2], row[3]) for row in select_spans(build_shifts(*make_inputs(*about))) if row[0] == 71)

    assert found == (sorted([*known, (period, 60 * minute)]) if period else known)
    assert ("every shift has a period" in find_failed_checks(*about)) == (period is None)


NAMED = builders.make_lineups(
    make_lineup_row(71, first_name="Åke", last_name="Grünwald"),
    make_lineup_row(91, first_name="Sebastian", last_name="O'Neill-Ødegård"),
    make_lineup_row(30, position="G", first_name="Jean-Luc", last_name="St. Pierre"),
    make_lineup_row(35, position="G", first_name="Twin", last_name="Name"),
    make_lineup_row(36, first_name="Twin", last_name="Name"),
    make_lineup_row(171, AWAY),
)


@pytest.mark.parametrize(
    ("heading", "player"),
    [
        ("90 ST PIERRE, JEAN LUC", 30),
        ("90 ST. PIERRE, JEAN-LUC", 30),
        ("91 ST. PIERRE, JEAN-LUC", 30),  # this player's name, a teammate's number
        ("ST. PIERRE, JEAN-LUC", 30),
        ("90 GRUNWALD, AKE", 71),
        ("90 O'NEILL-ODEGARD, SEBASTIAN", 91),
        ("71 GRUNWALD, AAKE", 71),  # a nickname: the number decides
        ("36 NAME, TWIN", 36),
        ("90 NAME, TWIN", None),
        ("90 SOMEBODY, ELSE", None),
    ],
)
def test_player_of_a_report_is_matched_by_name_or_else_by_number(heading: str, player: int | None):
    home = make_report((heading, ["1|1|0:30 / 19:30|1:10 / 18:50|00:40|&nbsp;"], []))
    about = (make_chart(), home, AWAY_REPORT, NAMED)

    assert [row[0] for row in select_spans(build_shifts(*make_inputs(*about))) if row[1] == HOME] == (
        [player] if player else []
    )
    assert ("every shift belongs to a dressed player" in find_failed_checks(*about)) == (player is None)


def test_number_does_not_match_a_player_whose_name_is_on_other_shifts():
    line = "1|1|{}:30 / 19:30|{}:10 / 18:50|00:40|&nbsp;"
    home = make_report(*((name, [line.format(n, n + 1)], []) for n, name in enumerate(["91 GRUNWALD, AKE", "71 X, Y"])))

    found = select_spans(build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT, lineup=NAMED)))

    assert [row for row in found if row[1] == HOME] == [(71, HOME, 1, 30, 70)]


@pytest.mark.parametrize(("official", "player"), [((40, 0), 30), ((0, 40), 35), ((40, 40), None), ((41, 0), None)])
def test_unknown_heading_matches_the_only_player_with_that_time(official: tuple[int, int], player: int | None):
    lines = (
        dict(zip(("player_id", "time_on_ice_s"), line, strict=True)) for line in zip((30, 35), official, strict=True)
    )
    boxes = builders.make_goalie_games(
        *({"season": builders.SEASON, "game_id": GAME, "team_id": HOME, **line} for line in lines)
    )
    lineup = builders.make_lineups(
        make_lineup_row(71),
        make_lineup_row(30, position="G"),
        make_lineup_row(35, position="G"),
        make_lineup_row(171, AWAY),
    )
    sums = ["1|1|00:40|00:40|00:40|00:00|00:00", "TOT|1|00:40|00:40|00:40|00:00|00:00"]
    home = make_report(("90 A, B", ["1|1|0:30 / 19:30|1:10 / 18:50|00:40|&nbsp;"], sums))

    found = select_spans(build_shifts(*make_inputs(make_chart(), home, AWAY_REPORT, lineup=lineup, goalies=boxes)))

    assert [row[0] for row in found if row[1] == HOME] == ([player] if player else [])


@try_examples(40)
@given(order=st.permutations(range(12)), repeats=st.lists(st.integers(0, 11), max_size=6))
def test_order_of_rows_and_repeats_change_nothing(order: list[int], repeats: list[int]):
    shifts = [make_chart_row(p, f"0{m}:30", f"0{m + 1}:10", "00:40") for p in (71, 91) for m in range(4)]
    invalid = [
        make_chart_row(71, "00:50", "01:40", "00:50"),
        make_chart_row(91, "03:00", "", "00:00"),
        make_chart_row(99, "1:0", "", None),
    ]
    page = [*shifts, *invalid, make_chart_row(71, "00:50", "00:50", None, typeCode=505)]

    assert build_chart_shifts(*(page[n] for n in [*order, *repeats])) == build_chart_shifts(*page)


CLOCKS = st.sampled_from(["00:30", "01:10", "01:30", "5:00", "19:59", "20:00", "20:01", "00:00", "", "-1:00", None])
ANY_ROW = st.fixed_dictionaries(
    {
        "playerId": st.sampled_from([71, 71, 71, 171, 99, None]),
        "teamId": st.sampled_from([HOME, HOME, AWAY, 99, None]),
        "period": st.sampled_from([1, 1, 1, 4, 5, 0, -1, None]),
        "startTime": CLOCKS,
        "endTime": CLOCKS,
        "duration": CLOCKS,
        "typeCode": st.sampled_from([517, 517, 517, 505, None]),
        "eventDescription": st.sampled_from([None, None, None, "EVG"]),
    }
)


@try_examples(40)
@given(page=st.lists(ANY_ROW, max_size=15))
def test_shifts_of_a_player_never_overlap(page: list[dict[str, Any]]):
    found = build_shifts(*make_inputs(make_chart(*page)))
    check.validate_rows(SHIFTS, found)
    earlier = pl.col("end_seconds").cum_max().shift(1).over("player_id", "period")

    assert found.filter(pl.col("start_seconds") < earlier).is_empty()
    assert found.filter(~pl.col("period").is_between(1, 4) | ~pl.col("player_id").is_in([71, 171])).is_empty()


def test_clean_game_fails_no_checks():
    assert find_failed_checks(make_chart(CLEAN)) == {}


def test_every_row_that_is_left_out_is_counted():
    page = make_chart(
        CLEAN,
        CLEAN,
        CLEAN,
        make_chart_row(99, "00:30", "01:10", "00:40"),
        make_chart_row(71, "02:30", "03:10", "00:40", teamId=99),
        make_chart_row(71, "02:30", "", "00:00"),
        make_chart_row(71, "19:30", "20:10", "00:40"),
        make_chart_row(71, "01:00", "01:30", "00:30"),
    )

    assert find_failed_checks(page) == {
        "no shift is listed twice": ["info", "0", "2"],
        "every shift belongs to a dressed player": ["warning", "0", "1"],
        "every shift belongs to a team in the game": ["info", "0", "1"],
        "every shift ends after it starts": ["warning", "0", "1"],
        "every shift is inside a period": ["warning", "0", "1"],
        "no shifts of a player overlap": ["warning", "0", "1"],
    }


def test_game_without_shifts_is_reported_with_what_was_left_out():
    assert find_failed_checks(make_chart()) == {"a game has shifts": ["error", None, "0"]}
    assert find_failed_checks(make_chart(make_chart_row(71, "02:30", "", "00:00"))) == {
        "a game has shifts": ["error", None, "0"],
        "every shift ends after it starts": ["warning", "0", "1"],
    }
    assert find_failed_checks(NO_PAGES) == {"a game has shifts": ["error", None, "0"]}


@pytest.mark.parametrize(("season", "checks"), [(20062007, []), (20072008, ["a game has shifts"])])
def test_no_shifts_are_expected_before_they_were_recorded(season: int, checks: list[str]):
    line = builders.make_lineups(builders.make_lineup_row(71, season=season))
    none = (builders.make_frame(LISTED_SHIFTS, []), builders.make_shifts(), line)

    assert check_shifts(*none).collect()["check"].to_list() == checks


def test_game_with_shifts_from_reports_is_reported():
    assert find_failed_checks(make_chart(), HOME_REPORT, AWAY_REPORT) == {
        "the shift chart is complete": ["info", "2", "0"]
    }
    assert find_failed_checks(make_chart(CLEAN), HOME_REPORT, AWAY_REPORT) == {
        "the shift chart is complete": ["info", "2", "1"]
    }


@pytest.mark.parametrize(("printed", "wrong"), [("00:40", 0), ("00:42", 0), ("00:43", 1), ("01:40", 1)])
def test_report_whose_shifts_do_not_add_up_is_reported(printed: str, wrong: int):
    sums = [f"1|1|{printed}|{printed}|{printed}|00:00|00:00", f"TOT|1|{printed}|{printed}|{printed}|00:00|00:00"]
    home = make_report(("71 SURNAME, FIRST", ["1|1|0:30 / 19:30|1:10 / 18:50|00:40|&nbsp;"], sums))
    found = find_failed_checks(make_chart(), home, AWAY_REPORT)

    assert found.get("the shifts of a report add up to its totals") == (["error", "0", "1"] if wrong else None)


@pytest.mark.parametrize(("official", "wrong"), [(40, 0), (42, 0), (38, 0), (43, 1), (None, 0)])
def test_shifts_are_compared_with_the_box_scores_time_on_ice(official: int | None, wrong: int):
    schema = {"season": pl.Int32, "game_id": pl.Int64, "player_id": pl.Int64, "time_on_ice_s": pl.Int32}
    lines = pl.LazyFrame([(20232024, GAME, 71, official), (20232024, GAME + 1, 71, 999)], schema=schema, orient="row")
    found = check_ice_time(builders.make_shifts(builders.make_shift(71, 30, 70)), lines, lines.head(0)).collect()

    assert found["actual"].to_list() == ["1"] * wrong


def test_player_of_the_box_score_without_shifts_is_reported():
    schema = {"season": pl.Int32, "game_id": pl.Int64, "player_id": pl.Int64, "time_on_ice_s": pl.Int32}
    lines = pl.LazyFrame(
        [(20232024, GAME, 71, 40), (20232024, GAME, 91, 0), (20232024, GAME, 92, 600)], schema=schema, orient="row"
    )
    found = check_ice_time(builders.make_shifts(builders.make_shift(71, 30, 70)), lines, lines.head(0)).collect()

    assert found["actual"].to_list() == ["1"]
