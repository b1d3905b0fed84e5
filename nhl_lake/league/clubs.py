"""The thirty-two clubs of the league, all invented, and the one that moves."""

from __future__ import annotations

from typing import Final, NamedTuple

from .model import Team, Text
from .names import official
from .seeds import source

EAST, CENTRAL, MOUNTAIN, PACIFIC, ATLANTIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Halifax",
)  # fmt: skip
REGINA: Final = "America/Regina"
VENUE_ZONES: Final = {
    EAST: "US/Eastern", CENTRAL: "US/Central", MOUNTAIN: "US/Mountain", PACIFIC: "US/Pacific",
    ATLANTIC: "America/Halifax",
    REGINA: "America/Regina", "America/Phoenix": "US/Arizona", "America/Boise": "US/Mountain",
    "Pacific/Honolulu": "US/Hawaii",
}  # fmt: skip


class Home(NamedTuple):
    """A club in one place."""

    team_id: int
    franchise_id: int
    abbrev: str
    place: str  # "Quebec|Québec" where French says it differently
    common_name: str
    arena: str
    timezone: str
    division: str
    first: int = 0  # season
    last: int = 99999999


HOMES: Final = (
    Home(101, 201, "HFX", "Halifax", "Herons|Hérons", "Lighthouse Arena", ATLANTIC, "Atlantic"),
    Home(102, 202, "QCB", "Quebec|Québec", "Belugas|Bélugas", "Aréna des Glaces", EAST, "Atlantic"),
    Home(103, 203, "HMS", "Hamilton", "Millwrights", "Ironworks Coliseum", EAST, "Atlantic"),
    Home(104, 204, "PRV", "Providence", "Lanterns|Lanternes", "Beacon Hall", EAST, "Atlantic"),
    Home(105, 205, "ALB", "Albany", "Ferrymen", "Patroon Garden", EAST, "Atlantic"),
    Home(106, 206, "SYR", "Syracuse", "Saltworks", "Brine Center", EAST, "Atlantic"),
    Home(107, 207, "ROC", "Rochester", "Towpaths", "Flour City Arena", EAST, "Atlantic"),
    Home(108, 208, "PME", "Portland Bay|Baie de Portland", "Puffins|Macareux", "Casco Ice House", EAST, "Atlantic"),
    Home(109, 209, "NFK", "Norfolk", "Bosuns|Maîtres", "Tidewater Dome", EAST, "Metropolitan"),
    Home(110, 210, "RIC", "Richmond", "Redhawks", "James River Forum", EAST, "Metropolitan"),
    Home(111, 211, "CHS", "Charleston", "Marshlights", "Palmetto Arena", EAST, "Metropolitan"),
    Home(112, 212, "JAX", "Jacksonville", "Ospreys", "St. Johns Coliseum", EAST, "Metropolitan"),
    Home(113, 213, "ORL", "Orlando", "Thunderbolts", "Cypress Arena", EAST, "Metropolitan"),
    Home(114, 214, "CVL", "Cleveland", "Foundry", "Lakefront Hall", EAST, "Metropolitan"),
    Home(115, 215, "CIN", "Cincinnati", "Riverboats", "Queen City Garden", EAST, "Metropolitan"),
    Home(116, 216, "LOU", "Louisville", "Coopers", "Bluegrass Dome", EAST, "Metropolitan"),
    Home(117, 217, "MIL", "Milwaukee", "Maltsters", "Cream City Arena", CENTRAL, "Central"),
    Home(118, 218, "DSM", "Des Moines", "Prairie Wolves", "Raccoon River Center", CENTRAL, "Central"),
    Home(119, 219, "OMA", "Omaha", "Railmen", "Junction Arena", CENTRAL, "Central"),
    Home(120, 220, "KCM", "Kansas City", "Drovers", "Confluence Center", CENTRAL, "Central"),
    Home(121, 221, "MEM", "Memphis", "Mockingbirds", "Bluff City Forum", CENTRAL, "Central"),
    Home(122, 222, "SAT", "San Antonio", "Chaparrals", "Mission Hall", CENTRAL, "Central"),
    Home(123, 223, "SKN", "Saskatoon", "Blizzards", "Riverbank Place", REGINA, "Central"),
    Home(124, 224, "REG", "Regina", "Harvesters", "Wascana Centre", REGINA, "Central"),
    Home(125, 225, "ABQ", "Albuquerque", "Roadrunners", "Sandia Arena", MOUNTAIN, "Pacific"),
    Home(126, 226, "TUC", "Tucson", "Saguaros", "Old Pueblo Arena", "America/Phoenix", "Pacific", last=20242025),
    Home(133, 226, "BOI", "Boise", "Kestrels", "Treasure Valley Arena", "America/Boise", "Pacific", first=20252026),
    Home(127, 227, "SPK", "Spokane", "Cascades", "Inland Ice Center", PACIFIC, "Pacific"),
    Home(128, 228, "VIC", "Victoria", "Orcas|Épaulards", "Inner Harbour Place", PACIFIC, "Pacific"),
    Home(129, 229, "PDX", "Portland", "Timberline", "Rose Quarter Hall", PACIFIC, "Pacific"),
    Home(130, 230, "SAC", "Sacramento", "Prospectors", "Delta Dome", PACIFIC, "Pacific"),
    Home(131, 231, "SDG", "San Diego", "Breakers", "Harborlight Center", PACIFIC, "Pacific"),
    Home(132, 232, "HIL", "Honolulu", "Tradewinds", "Diamond Bay Arena", "Pacific/Honolulu", "Pacific"),
)  # fmt: skip
CONFERENCES: Final = {"Atlantic": "Eastern", "Metropolitan": "Eastern", "Central": "Western", "Pacific": "Western"}


def teams(seed: int, season: int) -> tuple[Team, ...]:
    """The clubs of one season, with their coaches."""
    return tuple(_team(home, seed, season) for home in HOMES if home.first <= season <= home.last)


def _team(home: Home, seed: int, season: int) -> Team:
    place = home.place.partition("|")
    preposition = "d'" if home.place[0] in "AEIOUYH" else "de "
    coached_since = season // 10000 // 3  # coaches stay three seasons
    return Team(
        home.team_id,
        home.franchise_id,
        home.abbrev,
        _text(home.place),
        (("default", place[0]), ("fr", preposition + (place[2] or place[0]))),
        _text(home.common_name),
        _text(home.arena),
        _text(home.place),
        home.timezone,
        VENUE_ZONES[home.timezone],
        CONFERENCES[home.division],
        home.division,
        official(source(seed, "coach", home.franchise_id, coached_since)),
    )


def _text(words: str) -> Text:
    default, _, french = words.partition("|")
    return (("default", default), ("fr", french)) if french else (("default", default),)
