"""Simulated pages have the keys and the JSON types of recorded ones."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.league.league_pages import (
    SEASONS,
    get_end_time,
    get_game_page,
    get_league,
    get_page,
    get_shift_chart,
    make_minutes,
    sample_games,
)
from tests.league.page_shapes import PageShape, collect_values, describe_shape, read_archived_pages, read_recorded_pages

pytestmark = pytest.mark.league

NEARLY_ALL = 0.95

# Exceptions: patterns of paths that only recorded or only simulated pages have, and why.
ALLOWED_TO_LACK = {
    r"player-landing \$\.(featuredStats|careerTotals|last5Games)\b.*": "figures of a career need every game of it; "
    "a page without them is what the API serves for a rookie",
    r"player-landing \$\.seasonTotals\[\]\.(teamCommonName|teamPlaceName|teamName\.\(lang).*": "only seasons in the "
    "NHL have them",
    r"play-by-play \$\.plays\[blocked-shot\]\.details\.reason": "old generation of blocks: a quirk, up to 2024-25",
}
ALLOWED_TO_ADD = {
    r"(play-by-play|boxscore|right-rail) \$\..*(Name|venue|venueLocation)\.\(language\)": "few names of clubs, "
    "places and people differ in French or Czech: not each kind of page was recorded with one",
    r"right-rail \$\.seasonSeries\[(FUT|LIVE)\].*": "all recorded pages are of pairs that had played their last game",
    r"(boxscore|right-rail) \$.*\.periodDescriptor\.otPeriods": "no game with a second overtime was recorded",
    r"right-rail \$\.seasonSeries\[OFF\]\.gameOutcome\.otPeriods": "as in play-by-play, where overtimes were recorded",
    r"schedule \$\.gameWeek\[\]\.games\[FUT\]\.seriesStatus\b.*": "no recorded week has a playoff game to come",
    r"schedule \$\.gameWeek\[\]\.games\[LIVE\]\..*": "the one recorded live game of a schedule is of "
    "March 2024, before common names",
}

TEXT_KEYS = (
    "typeDescKey", "typeCode", "reason", "secondaryReason", "shotType", "descKey", "positionCode", "position",
    "zoneCode", "situationCode", "periodType", "lastPeriodType", "homeTeamDefendingSide", "gameState",
    "gameScheduleState", "category", "decision", "streakCode", "roundAbbrev", "roundCode", "seriesLetter",
    "dayAbbrev", "shootsCatches", "birthCountry", "eventDescription", "detailCode", "market", "countryCode",
)  # fmt: skip
ALLOWED_TEXTS = {
    "decision": {"O"},  # a defeat after regulation: only boxscores of games that ended in regulation were recorded
    "eventDescription": {"SHG", "Shootout"},  # the one recorded chart has neither
    "gameState": {"OVER"},  # lasts minutes: never recorded
}
FIGURE_KEYS = (
    "timeInPeriod", "timeRemaining", "toi", "startTimeUTC", "easternUTCOffset", "venueUTCOffset", "startTime",
    "endTime", "gameDate", "date", "nextStartDate", "previousStartDate", "birthDate", "standingsDateTimeUtc",
    "startDate", "endDate", "regularSeasonEndDate", "preseasonStartdate", "formattedSeasonId", "playerId", "season",
    "seasonId", "gameId",
)  # fmt: skip


def list_finished_games() -> list[int]:
    return [game for game in sample_games() if game // 10_000 % 100 != 1]


def read_play_by_play(folder: Path) -> tuple[list[Any], list[Any]]:
    single = read_recorded_pages(folder, "play-by-play")
    archive = [*read_archived_pages(folder, 20232024, every=20), *read_archived_pages(folder, 20222023, every=40)]
    return [*single, *archive], [page for page in single if "commonName" in page["homeTeam"]]


def read_boxscores(folder: Path) -> tuple[list[Any], list[Any]]:
    pages = read_recorded_pages(folder, "boxscore")
    return pages, [page for page in pages if "commonName" in page["homeTeam"]]


def read_schedules(folder: Path) -> tuple[list[Any], list[Any]]:
    pages = read_recorded_pages(folder, "schedule")
    new = [page for page in pages if any("commonName" in g["homeTeam"] for d in page["gameWeek"] for g in d["games"])]
    return pages, new


def read_standings(folder: Path) -> tuple[list[Any], list[Any]]:
    pages = read_recorded_pages(folder, "standings")
    return pages, [page for page in pages if page["standings"] and "teamCommonName" in page["standings"][0]]


def read_pages_of_kind(kind: str) -> Callable[[Path], tuple[list[Any], list[Any]]]:
    def pages(folder: Path) -> tuple[list[Any], list[Any]]:
        found = read_recorded_pages(folder, kind)
        return found, found

    return pages


def get_game_pages(kind: str) -> Callable[[], tuple[list[Any], list[Any]]]:
    """Return pages of games in all states, and those of games that are over."""

    def pages() -> tuple[list[Any], list[Any]]:
        over = [get_game_page(game, kind) for game in list_finished_games()]
        moments = [-300, -100, *range(-80, 1, 16), 5, 60]
        other = [
            get_game_page(game, kind, get_end_time(game) + make_minutes(m))
            for game in sample_games()[::8]
            for m in moments
        ]
        return [*over, *other], over

    return pages


def get_charts() -> tuple[list[Any], list[Any]]:
    pages = [page for game in list_finished_games() if (page := get_shift_chart(game))["total"]]
    return pages, pages


def get_weeks() -> tuple[list[Any], list[Any]]:
    engine = get_league().engine
    over = [
        get_page(f"/v1/schedule/{engine.find_game(game).day}", get_end_time(game) + make_minutes(60 * 24 * 9))  # type: ignore[union-attr]
        for game in list_finished_games()[::5]
    ]
    other = [
        get_page(f"/v1/schedule/{engine.find_game(game).day}", get_end_time(game) - make_minutes(m))  # type: ignore[union-attr]
        for game in sample_games()[::6]
        for m in (5000, 40, 90)
    ]
    return [*over, *other], over


def get_standings() -> tuple[list[Any], list[Any]]:
    engine = get_league().engine
    pages = []
    for season in SEASONS:
        facts = engine.season(season)
        pages += [
            get_page(f"/v1/standings/{day}")
            for day in (facts.start, facts.start + (facts.end - facts.start) / 2, facts.end)
        ]
    return pages, pages


def get_rosters() -> tuple[list[Any], list[Any]]:
    pages = [get_page(f"/v1/roster/{team.abbrev}/{s}") for s in SEASONS for team in get_league().engine.season(s).teams]
    return pages, pages


def get_landings() -> tuple[list[Any], list[Any]]:
    pages = [
        get_page(f"/v1/player/{player}/landing") for player in list(get_league().engine.get_players(SEASONS[0]))[:300]
    ]
    return pages, [page for page in pages if "sweaterNumber" in page]  # the others are in the minors


def get_single_page(target: str) -> Callable[[], tuple[list[Any], list[Any]]]:
    return lambda: ([get_page(target)], [get_page(target)])


ENDPOINTS: dict[
    str, tuple[Callable[[Path], tuple[list[Any], list[Any]]], Callable[[], tuple[list[Any], list[Any]]]]
] = {
    "play-by-play": (read_play_by_play, get_game_pages("play-by-play")),
    "boxscore": (read_boxscores, get_game_pages("boxscore")),
    "right-rail": (read_pages_of_kind("right-rail"), get_game_pages("right-rail")),
    "shiftcharts": (read_pages_of_kind("shiftcharts"), get_charts),
    "schedule": (read_schedules, get_weeks),
    "standings": (read_standings, get_standings),
    "roster": (read_pages_of_kind("roster"), get_rosters),
    "player-landing": (read_pages_of_kind("player-landing"), get_landings),
    "statsrest-season": (read_pages_of_kind("statsrest-season"), get_single_page("/stats/rest/en/season")),
    "statsrest-teams": (read_pages_of_kind("statsrest-teams"), get_single_page("/stats/rest/en/team")),
}


@pytest.fixture(scope="module", params=ENDPOINTS)
def compared(request: pytest.FixtureRequest, realdata: Path) -> tuple[str, PageShape, PageShape, PageShape, PageShape]:
    """Name, recorded pages, those in the newest format, simulated pages, those in their last state."""
    real, simulated = ENDPOINTS[request.param]
    every, new = real(realdata)
    pages, over = simulated()
    return request.param, describe_shape(every), describe_shape(new), describe_shape(pages), describe_shape(over)


def list_unexpected_paths(name: str, paths: set[str], allowed: dict[str, str]) -> str:
    """Return the paths that no pattern allows, one per line."""
    return "\n".join(sorted(path for path in paths if not any(re.fullmatch(p, f"{name} {path}") for p in allowed)))


def test_every_key_of_a_simulated_page_is_in_a_recorded_one(
    compared: tuple[str, PageShape, PageShape, PageShape, PageShape],
):
    name, recorded_pages, _, simulated, _ = compared

    assert list_unexpected_paths(name, simulated.kinds.keys() - recorded_pages.kinds.keys(), ALLOWED_TO_ADD) == ""


def test_every_type_of_a_simulated_page_is_in_a_recorded_one(
    compared: tuple[str, PageShape, PageShape, PageShape, PageShape],
):
    name, recorded_pages, _, simulated, _ = compared

    strange = {
        path: kinds - recorded_pages.kinds[path]
        for path, kinds in simulated.kinds.items()
        if path in recorded_pages.kinds and kinds - recorded_pages.kinds[path]
    }
    assert list_unexpected_paths(name, set(strange), ALLOWED_TO_ADD) == "", strange


def test_what_nearly_all_recorded_pages_have_a_simulated_one_has(
    compared: tuple[str, PageShape, PageShape, PageShape, PageShape],
):
    name, _, new, _, over = compared

    common = {path for path, share in new.share.items() if share >= NEARLY_ALL}
    assert list_unexpected_paths(name, common - over.kinds.keys(), ALLOWED_TO_LACK) == ""


def test_a_key_that_a_recorded_object_always_has_a_simulated_one_always_has(
    compared: tuple[str, PageShape, PageShape, PageShape, PageShape],
):
    name, _, new, _, over = compared

    expected = {path for path in new.always if path.rsplit(".", 1)[0] in over.kinds}
    assert list_unexpected_paths(name, expected - over.always, ALLOWED_TO_LACK) == ""


@pytest.fixture(scope="module")
def spoken(realdata: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The values of recorded and simulated pages under the keys of WORDS and FIGURES."""
    real = [page for pages, _ in ENDPOINTS.values() for page in pages(realdata)[0]]
    real += [select_rare_details(page) for page in read_archived_pages(realdata, 20232024, every=1)]
    real += [*read_recorded_pages(realdata, "landing"), *read_recorded_pages(realdata, "score")]
    simulated = [page for _, pages in ENDPOINTS.values() for page in pages()[0]]
    return collect_values(real, (*TEXT_KEYS, *FIGURE_KEYS)), collect_values(simulated, (*TEXT_KEYS, *FIGURE_KEYS))


def select_rare_details(page: Any) -> Any:
    """Return penalties and stoppages; some occur once in hundreds of games."""
    return [play["details"] for play in page["plays"] if play["typeDescKey"] in ("penalty", "stoppage")]


def test_every_word_of_a_simulated_page_is_in_a_recorded_one(spoken: tuple[dict[str, set[str]], dict[str, set[str]]]):
    real, simulated = spoken

    assert {key: new for key in TEXT_KEYS if (new := simulated[key] - real[key] - ALLOWED_TEXTS.get(key, set()))} == {}


def test_every_figure_of_a_simulated_page_is_written_as_in_a_recorded_one(
    spoken: tuple[dict[str, set[str]], dict[str, set[str]]],
):
    real, simulated = spoken

    assert {key: new for key in FIGURE_KEYS if (new := mask_digits(simulated[key]) - mask_digits(real[key]))} == {}


def mask_digits(values: set[str]) -> set[str]:
    """Replace every digit by 9, so that only the format is compared."""
    return {re.sub(r"\d", "9", value) for value in values}
