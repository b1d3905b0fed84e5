"""Parts that several pages share: texts, teams, clocks, periods, broadcasts, and the header of a game's pages."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from nhl_lake.league.model import GameOutcome, LocalizedText, Player, ScheduledGame, Team
from nhl_lake.league.pages.game_status import GameStatus, get_full_length, get_period_type
from nhl_lake.league.pages.page_source import EASTERN, Page, PageSource
from nhl_lake.league.seeds import create_rng

ASSETS = "https://assets.league.example"
NETWORKS = (
    ("N", "US", "NORTHWIND", 101),
    ("N", "CA", "ICETIME", 102),
    ("H", "US", "HOMECAST", 103),
    ("A", "US", "ROADCAST", 104),
)


def localize_text(text: LocalizedText) -> dict[str, str]:
    """Return localized text as on the pages: `default`, and other languages where they differ."""
    return dict(text)


def join_texts(first: LocalizedText, second: LocalizedText, pattern: str = "{} {}") -> dict[str, str]:
    """Join two localized texts, in every language of either."""
    one, two = dict(first), dict(second)
    return {
        language: pattern.format(one.get(language, one["default"]), two.get(language, two["default"]))
        for language in (*one, *(language for language in two if language not in one))
    }


def build_short_name(player: Player) -> dict[str, str]:
    """Return the initial and the last name."""
    initials = tuple((language, name[0]) for language, name in player.first)
    return join_texts(initials, player.last, "{}. {}")


def format_clock(seconds: int) -> str:
    """Return seconds as mm:ss."""
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def format_instant(moment: datetime) -> str:
    """Return an instant as the pages write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def format_utc_offset(moment: datetime, zone: ZoneInfo) -> str:
    """Return the UTC offset of local time: -05:00."""
    text = f"{moment.astimezone(zone):%z}"
    return f"{text[:3]}:{text[3:]}"


def build_logo_url(team: Team, shade: str) -> str:
    """Return the URL of a club's logo, which does not exist."""
    return f"{ASSETS}/logos/{team.abbrev}_{shade}.svg"


def build_period_descriptor(game: ScheduledGame, period: int) -> Page:
    """Return the number and type of a period."""
    kind = get_period_type(game, period)
    descriptor: Page = {"number": period, "periodType": kind, "maxRegulationPeriods": 3}
    if kind == "OT" and period > 4:
        descriptor["otPeriods"] = period - 3
    return descriptor


def build_outcome(outcome: GameOutcome) -> Page:
    """Return how a game ended."""
    if outcome.last_period_type == "OT":
        return {"lastPeriodType": "OT", "otPeriods": outcome.last_period - 3}
    return {"lastPeriodType": outcome.last_period_type}


def build_clock(game: ScheduledGame, now: GameStatus) -> Page:
    """Return the game clock."""
    full = get_full_length(game, max(now.period, 1))
    left = max(full - now.second, 0)
    running = now.state in ("LIVE", "CRIT") and not now.intermission and left > 0
    return {
        "timeRemaining": format_clock(left),
        "secondsRemaining": left,
        "running": running,
        "inIntermission": now.intermission,
    }


def build_start_times(game: ScheduledGame, start: datetime) -> Page:
    """Return when a game starts, and the UTC offsets of the venue and of Eastern time."""
    return {
        "startTimeUTC": format_instant(start),
        "easternUTCOffset": format_utc_offset(start, EASTERN),
        "venueUTCOffset": format_utc_offset(start, ZoneInfo(game.timezone)),
    }


def build_broadcasts(source: PageSource, game: ScheduledGame) -> list[Page]:
    """Return the broadcasts of a game: one to four invented networks."""
    rng = create_rng("broadcasts", source.seed, game.game_id)
    shown = sorted(rng.sample(range(len(NETWORKS)), k=rng.randint(1, len(NETWORKS))))
    return [
        {"id": number, "market": market, "countryCode": country, "network": name, "sequenceNumber": n + 1}
        for n, (market, country, name, number) in ((n, NETWORKS[n]) for n in shown)
    ]


def build_game_link(game: ScheduledGame, day: date, away: Team, home: Team) -> str:
    """Return the path of a game on the league's website."""
    return f"/gamecenter/{away.abbrev.lower()}-vs-{home.abbrev.lower()}/{day:%Y/%m/%d}/{game.game_id}"


def build_place_names(team: Team) -> Page:
    """Return the names of a club."""
    return {
        "placeName": localize_text(team.place),
        "placeNameWithPreposition": localize_text(team.place_with_preposition),
    }


def build_full_name(team: Team) -> dict[str, str]:
    """Return place and name; in French name and place, as in "Hérons d'Halifax"."""
    english, place = join_texts(team.place, team.common_name), dict(team.place_with_preposition)
    common = dict(team.common_name)
    french = f"{common.get('fr', common['default'])} {place.get('fr', place['default'])}"
    return {"default": english["default"], "fr": french}


def build_team_block(team: Team, result: tuple[int, int] | None) -> Page:
    """Return a team in the header of a game's page, with score and shots once the game has started."""
    head: Page = {"id": team.team_id, "commonName": localize_text(team.common_name), "abbrev": team.abbrev}
    if result is not None:
        head |= {"score": result[0], "sog": result[1]}
    return (
        head
        | {"logo": build_logo_url(team, "light"), "darkLogo": build_logo_url(team, "dark")}
        | build_place_names(team)
    )
