"""The thirty-two invented clubs of the league; one of them moves."""

from __future__ import annotations

from typing import Final, NamedTuple

from nhl_lake.league.model import LocalizedText, Team
from nhl_lake.league.names import draw_official_name
from nhl_lake.league.seeds import create_rng

EAST, CENTRAL, MOUNTAIN, PACIFIC, ATLANTIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Halifax",
)  # fmt: skip
REGINA: Final = "America/Regina"
VENUE_TIMEZONES: Final = {
    EAST: "US/Eastern", CENTRAL: "US/Central", MOUNTAIN: "US/Mountain", PACIFIC: "US/Pacific",
    ATLANTIC: "America/Halifax",
    REGINA: "America/Regina", "America/Phoenix": "US/Arizona", "America/Boise": "US/Mountain",
    "Pacific/Honolulu": "US/Hawaii",
}  # fmt: skip


class Club(NamedTuple):
    """A club at one location."""

    team_id: int
    franchise_id: int
    abbrev: str
    place: str  # "Quebec|Québec" if the French name differs
    common_name: str
    arena: str
    timezone: str
    division: str
    first_season: int = 0  # season
    last_season: int = 99999999


TEAM_IDENTITIES: Final = (
    Club(101, 201, "HFX", "Halifax", "Herons|Hérons", "Lighthouse Arena", ATLANTIC, "Atlantic"),
    Club(102, 202, "QCB", "Quebec|Québec", "Belugas|Bélugas", "Aréna des Glaces", EAST, "Atlantic"),
    Club(103, 203, "HMS", "Hamilton", "Millwrights", "Ironworks Coliseum", EAST, "Atlantic"),
    Club(104, 204, "PRV", "Providence", "Lanterns|Lanternes", "Beacon Hall", EAST, "Atlantic"),
    Club(105, 205, "ALB", "Albany", "Ferrymen", "Patroon Garden", EAST, "Atlantic"),
    Club(106, 206, "SYR", "Syracuse", "Saltworks", "Brine Center", EAST, "Atlantic"),
    Club(107, 207, "ROC", "Rochester", "Towpaths", "Flour City Arena", EAST, "Atlantic"),
    Club(108, 208, "PME", "Portland Bay|Baie de Portland", "Puffins|Macareux", "Casco Ice House", EAST, "Atlantic"),
    Club(109, 209, "NFK", "Norfolk", "Bosuns|Maîtres", "Tidewater Dome", EAST, "Metropolitan"),
    Club(110, 210, "RIC", "Richmond", "Redhawks", "James River Forum", EAST, "Metropolitan"),
    Club(111, 211, "CHS", "Charleston", "Marshlights", "Palmetto Arena", EAST, "Metropolitan"),
    Club(112, 212, "JAX", "Jacksonville", "Ospreys", "St. Johns Coliseum", EAST, "Metropolitan"),
    Club(113, 213, "ORL", "Orlando", "Thunderbolts", "Cypress Arena", EAST, "Metropolitan"),
    Club(114, 214, "CVL", "Cleveland", "Foundry", "Lakefront Hall", EAST, "Metropolitan"),
    Club(115, 215, "CIN", "Cincinnati", "Riverboats", "Queen City Garden", EAST, "Metropolitan"),
    Club(116, 216, "LOU", "Louisville", "Coopers", "Bluegrass Dome", EAST, "Metropolitan"),
    Club(117, 217, "MIL", "Milwaukee", "Maltsters", "Cream City Arena", CENTRAL, "Central"),
    Club(118, 218, "DSM", "Des Moines", "Prairie Wolves", "Raccoon River Center", CENTRAL, "Central"),
    Club(119, 219, "OMA", "Omaha", "Railmen", "Junction Arena", CENTRAL, "Central"),
    Club(120, 220, "KCM", "Kansas City", "Drovers", "Confluence Center", CENTRAL, "Central"),
    Club(121, 221, "MEM", "Memphis", "Mockingbirds", "Bluff City Forum", CENTRAL, "Central"),
    Club(122, 222, "SAT", "San Antonio", "Chaparrals", "Mission Hall", CENTRAL, "Central"),
    Club(123, 223, "SKN", "Saskatoon", "Blizzards", "Riverbank Place", REGINA, "Central"),
    Club(124, 224, "REG", "Regina", "Harvesters", "Wascana Centre", REGINA, "Central"),
    Club(125, 225, "ABQ", "Albuquerque", "Roadrunners", "Sandia Arena", MOUNTAIN, "Pacific"),
    Club(126, 226, "TUC", "Tucson", "Saguaros", "Old Pueblo Arena", "America/Phoenix", "Pacific", last_season=20242025),
    Club(133, 226, "BOI", "Boise", "Kestrels", "Treasure Valley Arena", "America/Boise", "Pacific", 20252026),
    Club(127, 227, "SPK", "Spokane", "Cascades", "Inland Ice Center", PACIFIC, "Pacific"),
    Club(128, 228, "VIC", "Victoria", "Orcas|Épaulards", "Inner Harbour Place", PACIFIC, "Pacific"),
    Club(129, 229, "PDX", "Portland", "Timberline", "Rose Quarter Hall", PACIFIC, "Pacific"),
    Club(130, 230, "SAC", "Sacramento", "Prospectors", "Delta Dome", PACIFIC, "Pacific"),
    Club(131, 231, "SDG", "San Diego", "Breakers", "Harborlight Center", PACIFIC, "Pacific"),
    Club(132, 232, "HIL", "Honolulu", "Tradewinds", "Diamond Bay Arena", "Pacific/Honolulu", "Pacific"),
)  # fmt: skip
CONFERENCES: Final = {"Atlantic": "Eastern", "Metropolitan": "Eastern", "Central": "Western", "Pacific": "Western"}


def build_teams(seed: int, season: int) -> tuple[Team, ...]:
    """Return the clubs of a season, with their coaches."""
    return tuple(
        _build_team(home, seed, season) for home in TEAM_IDENTITIES if home.first_season <= season <= home.last_season
    )


def _build_team(home: Club, seed: int, season: int) -> Team:
    place = home.place.partition("|")
    preposition = "d'" if home.place[0] in "AEIOUYH" else "de "
    coached_since = season // 10000 // 3  # coaches change every three seasons
    return Team(
        home.team_id,
        home.franchise_id,
        home.abbrev,
        _parse_text(home.place),
        (("default", place[0]), ("fr", preposition + (place[2] or place[0]))),
        _parse_text(home.common_name),
        _parse_text(home.arena),
        _parse_text(home.place),
        home.timezone,
        VENUE_TIMEZONES[home.timezone],
        CONFERENCES[home.division],
        home.division,
        draw_official_name(create_rng(seed, "coach", home.franchise_id, coached_since)),
    )


def _parse_text(words: str) -> LocalizedText:
    default, _, french = words.partition("|")
    return (("default", default), ("fr", french)) if french else (("default", default),)
