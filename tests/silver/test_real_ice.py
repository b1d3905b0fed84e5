"""Tests of shifts, stints and on-ice players of recorded games, compared with what the NHL printed."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser

from nhl_lake.schema import checks
from nhl_lake.schema.table import Table
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.parsing.shift_reports import GAME, parse_report_lines
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.shifts import check_ice_time, check_player_counts, check_shifts
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS, sum_time_on_ice
from tests.silver import builders
from tests.silver.bronze_pages import build_table, make_pages, make_schedule_row
from tests.silver.builders import NO_PAGES

REPORTED, PARSED, CHARTED = 2023020001, 2025020734, 2024030121
LATER = datetime(2100, 1, 1, tzinfo=UTC)
TIMES = ("time_on_ice_s", "even_strength_s", "power_play_s", "shorthanded_s")
DOTTED = ["goal", "shot-on-goal", "missed-shot", "blocked-shot", "hit", "giveaway", "takeaway", "faceoff"]
PRINTED = {
    "FAC": "faceoff", "HIT": "hit", "GIVE": "giveaway", "TAKE": "takeaway", "GOAL": "goal", "SHOT": "shot-on-goal",
    "MISS": "missed-shot", "BLOCK": "blocked-shot", "PENL": "penalty", "STOP": "stoppage", "PSTR": "period-start",
    "PEND": "period-end", "GEND": "game-end", "DELPEN": "delayed-penalty",
}  # fmt: skip


class Ice(NamedTuple):
    """What silver makes of some games."""

    plays: pl.DataFrame
    lineups: pl.DataFrame
    games: pl.DataFrame
    shifts: pl.DataFrame
    stints: pl.DataFrame
    on_ice: pl.DataFrame
    faults: pl.DataFrame


def build_valid(table: Table, *frames: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    found = build_table(table, *(frame.lazy() for frame in frames))
    checks.validate_rows(table, found)
    return found


def build_ice(
    pages: list[dict[str, Any]], charts: pl.LazyFrame, home: pl.LazyFrame = NO_PAGES, away: pl.LazyFrame = NO_PAGES
) -> Ice:
    """Build silver tables from play-by-play pages, charts and reports."""
    play_by_play = make_pages(*pages)
    plays, lineups = build_valid(PLAYS, play_by_play), build_valid(LINEUPS, play_by_play, NO_PAGES, NO_PAGES)
    games = builders.make_games(*(make_schedule_row(page) for page in pages)).collect()
    listed = build_valid(
        LISTED_SHIFTS, charts, home, away, lineups, games, builders.make_skater_games(), builders.make_goalie_games()
    )
    shifts = build_valid(SHIFTS, listed, lineups)
    stints, on_ice = build_valid(STINTS, shifts, lineups, games), build_valid(ON_ICE, plays, shifts, lineups)
    faults = check_shifts(listed.lazy(), shifts.lazy(), lineups.lazy()).collect()
    return Ice(plays, lineups, games, shifts, stints, on_ice, faults)


def parse_seconds(text: str) -> int:
    minutes, _, rest = text.partition(":")
    return 60 * int(minutes) + int(rest)


def read_teams(page: Ice) -> tuple[int, int]:
    ((away, home),) = page.games.select("away_team_id", "home_team_id").rows()
    return away, home


def read_times(page: Ice) -> dict[int, tuple[int, ...]]:
    """Return time on ice of every player: total, even, power play, shorthanded."""
    rows = sum_time_on_ice(page.stints.lazy()).select("player_id", *TIMES).collect().rows()
    return {player: tuple(rest) for player, *rest in rows}


def map_numbers(page: Ice) -> dict[tuple[int, int], int]:
    """Return the player of each team and sweater number."""
    return {(t, n): p for t, n, p in page.lineups.select("team_id", "sweater_number", "player_id").rows()}


@pytest.fixture(scope="module")
def report_files(realdata: Path) -> dict[str, str]:
    folder = realdata / "html-report"
    return {kind: (folder / f"{REPORTED}_{kind}.HTM").read_text(encoding="utf-8") for kind in ("TH", "TV", "PL")}


@pytest.fixture(scope="module")
def reported(realdata: Path, report_files: dict[str, str]) -> Ice:
    """The game whose shifts are read from its reports."""
    page = json.loads((realdata / "play-by-play" / f"{REPORTED}__v2.json").read_text())
    return build_ice([page], NO_PAGES, *(builders.make_page(report_files[kind], REPORTED) for kind in ("TH", "TV")))


@pytest.fixture(scope="module")
def parsed(realdata: Path) -> tuple[Ice, dict[int, tuple[int, ...]]]:
    """The game whose reports another project has parsed, and the printed time on ice."""
    page = json.loads((realdata / "play-by-play" / f"{PARSED}.json").read_text())
    wearer = {(spot["teamId"], spot["sweaterNumber"]): spot["playerId"] for spot in page["rosterSpots"]}
    rows, printed = [], {}
    for side in ("home", "away"):
        report = json.loads((realdata / "html-report-parsed" / f"{PARSED}_{side}.json").read_text())
        team = page[f"{side}Team"]["id"]
        for player in report["players"]:
            who = wearer[team, player["number"]]
            sums = player["periodSummary"]
            printed[who] = tuple(sum(parse_seconds(row[k]) for row in sums) for k in ("toi", "evToi", "ppToi", "shToi"))
            rows += [{"playerId": who, "teamId": team, "typeCode": 517, **shift} for shift in player["shifts"]]
    return build_ice([page], builders.make_chart(*rows, game_id=PARSED)), printed


@pytest.fixture(scope="module")
def charted(realdata: Path, archive: Callable[..., Any]) -> Ice:
    """Every game with a complete chart: 50 of the playoffs of 2023, and one of 2025."""
    files = {int(file.stem): file for file in (realdata / "shiftcharts-derived").glob("*.json")}
    pages = [json.loads(archive("20222023").play_by_play(game, LATER)) for game in sorted(files)]
    pages.append(json.loads((realdata / "play-by-play" / f"{CHARTED}.json").read_text()))
    files[CHARTED] = realdata / "shiftcharts" / f"{CHARTED}.json"
    return build_ice(pages, pl.concat([builders.make_page(file.read_text(), game) for game, file in files.items()]))


class ReportLine(NamedTuple):
    """A row of the play-by-play report: with the sweater numbers that it lists, away and home."""

    period: int
    second: int
    kind: str
    listed: tuple[frozenset[int], frozenset[int]]


def read_report_lines(report: str) -> Iterator[ReportLine]:
    """Read a play-by-play report."""
    for row in LexborHTMLParser(report).css("tr[id^=PL-]"):
        cells = [node for node in row.iter() if node.tag == "td"]
        texts = [" ".join(node.text(separator=" ").split()) for node in cells]
        away, home = (frozenset(int(font.text()) for font in node.css("font")) for node in cells[6:8])
        yield ReportLine(int(texts[1]), parse_seconds(texts[3].split()[0]), texts[4], (away, home))


def test_reports_give_the_printed_time_on_ice_of_every_player(reported: Ice, report_files: dict[str, str]):
    found, who, printed = read_times(reported), map_numbers(reported), {}
    for kind, team in zip(("TV", "TH"), read_teams(reported), strict=True):
        rows = parse_report_lines(builders.make_page(report_files[kind])).filter(pl.col("line") == GAME).collect()
        columns = ("printed_seconds", *TIMES[1:])
        printed |= {who[team, number]: tuple(rest) for number, *rest in rows.select("sweater_number", *columns).rows()}

    assert len(printed) == 38
    assert found == printed
    assert reported.shifts["shift_source"].unique().to_list() == ["report"]
    assert reported.faults["check"].to_list() == ["the shift chart is complete"]
    assert check_player_counts(reported.stints.lazy()).collect().is_empty()


def test_players_on_the_ice_match_the_official_report(reported: Ice, report_files: dict[str, str]):
    """In 6 of 651 lists another player is on.

    Three are live events in the second of a change, where the report takes the old player, elsewhere the new one; three
    are timeouts after a penalty in the same second, where it leaves out the penalised.
    """
    events, on = defaultdict(list), defaultdict(set)
    number = {(team, player): n for (team, n), player in map_numbers(reported).items()}
    for row in reported.plays.sort("sort_order").select("period", "period_seconds", "event", "event_id").rows():
        events[row[:3]].append(row[3])
    for event, team, player in reported.on_ice.select("event_id", "team_id", "player_id").rows():
        on[event, team].add(number[team, player])
    right, wrong = defaultdict(int), defaultdict(int)
    for line in read_report_lines(report_files["PL"]):
        if line.kind not in PRINTED:
            continue
        event = events[line.period, line.second, PRINTED[line.kind]].pop(0)
        for team, listed in zip(read_teams(reported), line.listed, strict=True):
            # the report lists no players at the end of the game, and only sometimes at the start of a period
            if listed:
                (right if on[event, team] == listed else wrong)[line.kind] += 1

    assert not any(events.values())
    assert sum(right.values()) >= 0.99 * 651
    assert right["FAC"] == 120
    assert right["GOAL"] == 16
    assert right["PENL"] == 20
    assert right["SHOT"] == 114
    assert wrong == {"MISS": 2, "HIT": 1, "STOP": 3}


def test_shifts_parsed_by_another_project_give_the_printed_and_the_official_time(
    parsed: tuple[Ice, dict[int, tuple[int, ...]]], realdata: Path
):
    found, printed = parsed
    box = make_pages(json.loads((realdata / "boxscore" / f"{PARSED}.json").read_text()))
    skaters, goalies = build_valid(SKATER_GAMES, box), build_valid(GOALIE_GAMES, box)
    official = {p: s for frame in (skaters, goalies) for p, s in frame.select("player_id", "time_on_ice_s").rows() if s}

    assert len(printed) == 38
    assert read_times(found) == printed
    assert {player: total for player, (total, *_) in read_times(found).items()} == official
    assert check_ice_time(found.shifts.lazy(), skaters.lazy(), goalies.lazy()).collect().is_empty()
    assert check_player_counts(found.stints.lazy()).collect().is_empty()


def test_charts_have_no_defects_except_repeats(charted: Ice):
    assert charted.games.height == charted.shifts["game_id"].n_unique() == 51
    assert charted.shifts["shift_source"].unique().to_list() == ["chart"]
    assert set(charted.faults["check"]) == {"no shift is listed twice"}


def test_number_of_players_is_possible_except_for_seconds(charted: Ice):
    """In three games a seventh player is on for some seconds, while a goalie comes off."""
    found = check_player_counts(charted.stints.lazy()).collect()

    assert found["severity"].unique().to_list() == ["warning"]
    assert found["actual"].cast(pl.Int64).sum() < 30
    assert charted.stints.select(pl.min_horizontal("home_skaters", "away_skaters").min()).item() == 3


def test_every_second_of_play_has_players_on_the_ice(charted: Ice):
    length = pl.col("end_seconds") - pl.col("start_seconds")
    covered = charted.stints.group_by("game_id", "period").agg(length.sum().alias("covered"))
    lasted = charted.plays.group_by("game_id", "period").agg(pl.col("period_seconds").max())
    gaps = lasted.join(covered, on=["game_id", "period"], how="left").filter(
        pl.col("covered") != pl.col("period_seconds")
    )

    assert gaps.is_empty()


def test_number_of_players_on_the_ice_matches_the_situation_of_the_page(charted: Ice):
    """Of 319 goals all, of 15,291 rows of play all but a handful.

    Rows of penalties and stoppages are left out: after another penalty in the same second the page has the new state.
    """
    home = charted.games.select("game_id", home="home_team_id")
    is_home, is_goalie = pl.col("team_id") == pl.col("home"), pl.col("is_goalie")
    kinds = (~is_home & is_goalie, ~is_home & ~is_goalie, is_home & ~is_goalie, is_home & is_goalie)
    counted = (
        charted.on_ice.join(home, on="game_id")
        .group_by("game_id", "event_id")
        .agg(code=pl.concat_str([kind.sum() for kind in kinds]))
    )
    rows = charted.plays.filter(pl.col("event").is_in(DOTTED) & ~pl.col("is_penalty_shot")).join(
        counted, on=["game_id", "event_id"], how="left", validate="1:1"
    )
    same = pl.col("code") == pl.col("situation_code")

    assert rows["code"].null_count() == 0
    assert rows.filter(pl.col("event") == "goal").select(same.all(), pl.len()).row(0) == (True, 319)
    assert rows.select((~same).sum()).item() <= 10
    assert rows.height > 15_000
