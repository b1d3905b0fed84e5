"""The law of shapes: simulated pages have the keys and the JSON types of recorded ones."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.league.requests import SEASONS, chart, ended, game_page, get, league, minutes, sample
from tests.league.shapes import Shape, archived, recorded, shape, texts

NEARLY_ALL = 0.95

# What simulated pages lack although nearly all recorded ones of their generation have it, and what they have although
# no recorded one does: a pattern of paths, and why.
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

WORDS = (
    "typeDescKey", "typeCode", "reason", "secondaryReason", "shotType", "descKey", "positionCode", "position",
    "zoneCode", "situationCode", "periodType", "lastPeriodType", "homeTeamDefendingSide", "gameState",
    "gameScheduleState", "category", "decision", "streakCode", "roundAbbrev", "roundCode", "seriesLetter",
    "dayAbbrev", "shootsCatches", "birthCountry", "eventDescription", "detailCode", "market", "countryCode",
)  # fmt: skip
ALLOWED_WORDS = {
    "decision": {"O"},  # a defeat after regulation: only boxscores of games that ended in regulation were recorded
    "eventDescription": {"SHG", "Shootout"},  # the one recorded chart has neither
    "gameState": {"OVER"},  # lasts minutes: never recorded
}
FIGURES = (
    "timeInPeriod", "timeRemaining", "toi", "startTimeUTC", "easternUTCOffset", "venueUTCOffset", "startTime",
    "endTime", "gameDate", "date", "nextStartDate", "previousStartDate", "birthDate", "standingsDateTimeUtc",
    "startDate", "endDate", "regularSeasonEndDate", "preseasonStartdate", "formattedSeasonId", "playerId", "season",
    "seasonId", "gameId",
)  # fmt: skip


def finished() -> list[int]:
    return [game for game in sample() if game // 10_000 % 100 != 1]


def play_by_play(folder: Path) -> tuple[list[Any], list[Any]]:
    single = recorded(folder, "play-by-play")
    archive = [*archived(folder, 20232024, every=20), *archived(folder, 20222023, every=40)]
    return [*single, *archive], [page for page in single if "commonName" in page["homeTeam"]]


def boxscores(folder: Path) -> tuple[list[Any], list[Any]]:
    pages = recorded(folder, "boxscore")
    return pages, [page for page in pages if "commonName" in page["homeTeam"]]


def schedules(folder: Path) -> tuple[list[Any], list[Any]]:
    pages = recorded(folder, "schedule")
    new = [page for page in pages if any("commonName" in g["homeTeam"] for d in page["gameWeek"] for g in d["games"])]
    return pages, new


def standings(folder: Path) -> tuple[list[Any], list[Any]]:
    pages = recorded(folder, "standings")
    return pages, [page for page in pages if page["standings"] and "teamCommonName" in page["standings"][0]]


def all_alike(kind: str) -> Callable[[Path], tuple[list[Any], list[Any]]]:
    def pages(folder: Path) -> tuple[list[Any], list[Any]]:
        found = recorded(folder, kind)
        return found, found

    return pages


def game_pages(kind: str) -> Callable[[], tuple[list[Any], list[Any]]]:
    """Pages of games in all states, and those of games that are over."""

    def pages() -> tuple[list[Any], list[Any]]:
        over = [game_page(game, kind) for game in finished()]
        moments = [-300, -100, *range(-80, 1, 16), 5, 60]
        other = [game_page(game, kind, ended(game) + minutes(m)) for game in sample()[::8] for m in moments]
        return [*over, *other], over

    return pages


def charts() -> tuple[list[Any], list[Any]]:
    pages = [page for game in finished() if (page := chart(game))["total"]]
    return pages, pages


def weeks() -> tuple[list[Any], list[Any]]:
    engine = league().engine
    over = [
        get(f"/v1/schedule/{engine.find(game).day}", ended(game) + minutes(60 * 24 * 9))  # type: ignore[union-attr]
        for game in finished()[::5]
    ]
    other = [
        get(f"/v1/schedule/{engine.find(game).day}", ended(game) - minutes(m))  # type: ignore[union-attr]
        for game in sample()[::6]
        for m in (5000, 40, 90)
    ]
    return [*over, *other], over


def tables() -> tuple[list[Any], list[Any]]:
    engine = league().engine
    pages = []
    for season in SEASONS:
        facts = engine.season(season)
        pages += [
            get(f"/v1/standings/{day}") for day in (facts.start, facts.start + (facts.end - facts.start) / 2, facts.end)
        ]
    return pages, pages


def rosters() -> tuple[list[Any], list[Any]]:
    pages = [get(f"/v1/roster/{team.abbrev}/{s}") for s in SEASONS for team in league().engine.season(s).teams]
    return pages, pages


def landings() -> tuple[list[Any], list[Any]]:
    pages = [get(f"/v1/player/{player}/landing") for player in list(league().engine.people(SEASONS[0]))[:300]]
    return pages, [page for page in pages if "sweaterNumber" in page]  # the others are in the minors


def one(target: str) -> Callable[[], tuple[list[Any], list[Any]]]:
    return lambda: ([get(target)], [get(target)])


ENDPOINTS: dict[
    str, tuple[Callable[[Path], tuple[list[Any], list[Any]]], Callable[[], tuple[list[Any], list[Any]]]]
] = {
    "play-by-play": (play_by_play, game_pages("play-by-play")),
    "boxscore": (boxscores, game_pages("boxscore")),
    "right-rail": (all_alike("right-rail"), game_pages("right-rail")),
    "shiftcharts": (all_alike("shiftcharts"), charts),
    "schedule": (schedules, weeks),
    "standings": (standings, tables),
    "roster": (all_alike("roster"), rosters),
    "player-landing": (all_alike("player-landing"), landings),
    "statsrest-season": (all_alike("statsrest-season"), one("/stats/rest/en/season")),
    "statsrest-teams": (all_alike("statsrest-teams"), one("/stats/rest/en/team")),
}


@pytest.fixture(scope="module", params=ENDPOINTS)
def compared(request: pytest.FixtureRequest, realdata: Path) -> tuple[str, Shape, Shape, Shape, Shape]:
    """Name, recorded pages, those of the newest generation, simulated pages, those in their last state."""
    real, simulated = ENDPOINTS[request.param]
    every, new = real(realdata)
    pages, over = simulated()
    return request.param, shape(every), shape(new), shape(pages), shape(over)


def unexpected(name: str, paths: set[str], allowed: dict[str, str]) -> str:
    """The paths that no pattern allows, a line each."""
    return "\n".join(sorted(path for path in paths if not any(re.fullmatch(p, f"{name} {path}") for p in allowed)))


def test_every_key_of_a_simulated_page_is_in_a_recorded_one(compared: tuple[str, Shape, Shape, Shape, Shape]):
    name, recorded_pages, _, simulated, _ = compared

    assert unexpected(name, simulated.kinds.keys() - recorded_pages.kinds.keys(), ALLOWED_TO_ADD) == ""


def test_every_type_of_a_simulated_page_is_in_a_recorded_one(compared: tuple[str, Shape, Shape, Shape, Shape]):
    name, recorded_pages, _, simulated, _ = compared

    strange = {
        path: kinds - recorded_pages.kinds[path]
        for path, kinds in simulated.kinds.items()
        if path in recorded_pages.kinds and kinds - recorded_pages.kinds[path]
    }
    assert unexpected(name, set(strange), ALLOWED_TO_ADD) == "", strange


def test_what_nearly_all_recorded_pages_have_a_simulated_one_has(compared: tuple[str, Shape, Shape, Shape, Shape]):
    name, _, new, _, over = compared

    common = {path for path, share in new.share.items() if share >= NEARLY_ALL}
    assert unexpected(name, common - over.kinds.keys(), ALLOWED_TO_LACK) == ""


def test_a_key_that_a_recorded_object_always_has_a_simulated_one_always_has(
    compared: tuple[str, Shape, Shape, Shape, Shape],
):
    name, _, new, _, over = compared

    expected = {path for path in new.always if path.rsplit(".", 1)[0] in over.kinds}
    assert unexpected(name, expected - over.always, ALLOWED_TO_LACK) == ""


@pytest.fixture(scope="module")
def spoken(realdata: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What recorded and simulated pages say under the keys of WORDS and FIGURES."""
    real = [page for pages, _ in ENDPOINTS.values() for page in pages(realdata)[0]]
    real += [rare_words(page) for page in archived(realdata, 20232024, every=1)]
    real += [*recorded(realdata, "landing"), *recorded(realdata, "score")]
    simulated = [page for _, pages in ENDPOINTS.values() for page in pages()[0]]
    return texts(real, (*WORDS, *FIGURES)), texts(simulated, (*WORDS, *FIGURES))


def rare_words(page: Any) -> Any:
    """Penalties and stoppages: some come once in hundreds of games."""
    return [play["details"] for play in page["plays"] if play["typeDescKey"] in ("penalty", "stoppage")]


@pytest.mark.slow
def test_every_word_of_a_simulated_page_is_in_a_recorded_one(spoken: tuple[dict[str, set[str]], dict[str, set[str]]]):
    real, simulated = spoken

    assert {key: new for key in WORDS if (new := simulated[key] - real[key] - ALLOWED_WORDS.get(key, set()))} == {}


@pytest.mark.slow
def test_every_figure_of_a_simulated_page_is_written_as_in_a_recorded_one(
    spoken: tuple[dict[str, set[str]], dict[str, set[str]]],
):
    real, simulated = spoken

    assert {key: new for key in FIGURES if (new := digits(simulated[key]) - digits(real[key]))} == {}


def digits(values: set[str]) -> set[str]:
    """Texts with every digit a 9: how something is written, whatever it says."""
    return {re.sub(r"\d", "9", value) for value in values}
