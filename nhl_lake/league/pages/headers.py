"""What several pages have: texts, teams, clocks, periods, broadcasts, and the head of every page about a game."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from nhl_lake.league.model import Player, ScheduledGame, Story, Team, Text
from nhl_lake.league.pages.moment import Moment, full_length, period_type
from nhl_lake.league.pages.source import EASTERN, Page, Source
from nhl_lake.league.seeds import source as dice

ASSETS = "https://assets.league.example"
NETWORKS = (
    ("N", "US", "NORTHWIND", 101),
    ("N", "CA", "ICETIME", 102),
    ("H", "US", "HOMECAST", 103),
    ("A", "US", "ROADCAST", 104),
)


def words(text: Text) -> dict[str, str]:
    """Localized text as the pages have it: `default`, and other languages where they differ."""
    return dict(text)


def both(first: Text, second: Text, pattern: str = "{} {}") -> dict[str, str]:
    """Two localized texts in one, in every language that either has."""
    one, two = dict(first), dict(second)
    return {
        language: pattern.format(one.get(language, one["default"]), two.get(language, two["default"]))
        for language in (*one, *(language for language in two if language not in one))
    }


def short_name(player: Player) -> dict[str, str]:
    """The initial and the last name."""
    initials = tuple((language, name[0]) for language, name in player.first)
    return both(initials, player.last, "{}. {}")


def clock_text(seconds: int) -> str:
    """Seconds as mm:ss."""
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def instant(moment: datetime) -> str:
    """An instant as the pages write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def offset(moment: datetime, zone: ZoneInfo) -> str:
    """The distance of local time from UTC: -05:00."""
    text = f"{moment.astimezone(zone):%z}"
    return f"{text[:3]}:{text[3:]}"


def logo(team: Team, shade: str) -> str:
    """The address of a club's picture; nothing answers there."""
    return f"{ASSETS}/logos/{team.abbrev}_{shade}.svg"


def period_descriptor(game: ScheduledGame, period: int) -> Page:
    """Number and kind of a period."""
    kind = period_type(game, period)
    descriptor: Page = {"number": period, "periodType": kind, "maxRegulationPeriods": 3}
    if kind == "OT" and period > 4:
        descriptor["otPeriods"] = period - 3
    return descriptor


def outcome(story: Story) -> Page:
    """How a game ended."""
    if story.last_type == "OT":
        return {"lastPeriodType": "OT", "otPeriods": story.last_period - 3}
    return {"lastPeriodType": story.last_type}


def clock(game: ScheduledGame, now: Moment) -> Page:
    """The clock of the arena."""
    full = full_length(game, max(now.period, 1))
    left = max(full - now.second, 0)
    running = now.state in ("LIVE", "CRIT") and not now.intermission and left > 0
    return {
        "timeRemaining": clock_text(left),
        "secondsRemaining": left,
        "running": running,
        "inIntermission": now.intermission,
    }


def times(game: ScheduledGame, start: datetime) -> Page:
    """When a game begins, and the local times there and in the East."""
    return {
        "startTimeUTC": instant(start),
        "easternUTCOffset": offset(start, EASTERN),
        "venueUTCOffset": offset(start, ZoneInfo(game.timezone)),
    }


def broadcasts(source: Source, game: ScheduledGame) -> list[Page]:
    """Who shows a game: one to four invented networks."""
    draw = dice("broadcasts", source.seed, game.game_id)
    shown = sorted(draw.sample(range(len(NETWORKS)), k=draw.randint(1, len(NETWORKS))))
    return [
        {"id": number, "market": market, "countryCode": country, "network": name, "sequenceNumber": n + 1}
        for n, (market, country, name, number) in ((n, NETWORKS[n]) for n in shown)
    ]


def link(game: ScheduledGame, day: date, away: Team, home: Team) -> str:
    """The path of a game on the league's site."""
    return f"/gamecenter/{away.abbrev.lower()}-vs-{home.abbrev.lower()}/{day:%Y/%m/%d}/{game.game_id}"


def names(team: Team) -> Page:
    """The names of a club."""
    return {"placeName": words(team.place), "placeNameWithPreposition": words(team.place_with_preposition)}


def full_name(team: Team) -> dict[str, str]:
    """Place and name; in French the other way round, as in "Hérons d'Halifax"."""
    english, place = both(team.place, team.common_name), dict(team.place_with_preposition)
    common = dict(team.common_name)
    french = f"{common.get('fr', common['default'])} {place.get('fr', place['default'])}"
    return {"default": english["default"], "fr": french}


def team_block(team: Team, result: tuple[int, int] | None) -> Page:
    """A team at the head of a game's page, with score and shots once there are any."""
    head: Page = {"id": team.team_id, "commonName": words(team.common_name), "abbrev": team.abbrev}
    if result is not None:
        head |= {"score": result[0], "sog": result[1]}
    return head | {"logo": logo(team, "light"), "darkLogo": logo(team, "dark")} | names(team)
