"""roster/{TRI}/{season} and player/{id}/landing: rosters and players at a time."""

from datetime import date, datetime

from nhl_lake.league.model import Player, RosterSpot, Season, Team
from nhl_lake.league.pages.headers import ASSETS, build_full_name, build_logo_url, localize_text
from nhl_lake.league.pages.page_source import Page, PageSource, to_eastern_date
from nhl_lake.league.seeds import create_rng

KG_PER_LB, CM_PER_INCH = 0.4536, 2.54
JUNIOR_LEAGUES = ("Northern Junior", "Lakes U20", "Coast U20", "College East")


def build_roster_page(source: PageSource, team: Team, season: Season, as_of: datetime) -> Page:
    """Return a club's players by position group and name; for a past season, those at its end."""
    spots = source.engine.roster(season.season, team.team_id, _clamp_to_season(season, as_of))
    ordered = sorted(spots, key=lambda spot: (dict(spot.player.last)["default"], spot.player.player_id))
    groups = {"forwards": "CLR", "defensemen": "D", "goalies": "G"}
    return {
        name: [_build_roster_player(spot, team, season.season) for spot in ordered if spot.position in positions]
        for name, positions in groups.items()
    }


def _clamp_to_season(season: Season, as_of: datetime) -> date:
    return min(max(to_eastern_date(as_of), season.preseason_start), season.playoff_end)


def _build_roster_player(spot: RosterSpot, team: Team, season: int) -> Page:
    player = spot.player
    return {
        "id": player.player_id,
        "headshot": _build_headshot_url(player, team, season),
        "firstName": localize_text(player.first),
        "lastName": localize_text(player.last),
        "sweaterNumber": spot.number,
        "positionCode": spot.position,
        "shootsCatches": player.shoots,
        "heightInInches": player.height_in,
        "weightInPounds": player.weight_lb,
        "heightInCentimeters": round(player.height_in * CM_PER_INCH),
        "weightInKilograms": round(player.weight_lb * KG_PER_LB),
        "birthDate": f"{player.birth_date}",
        "birthCity": localize_text(player.birth_city),
        "birthCountry": player.country,
    } | ({"birthStateProvince": localize_text(player.birth_state)} if player.birth_state else {})


def _build_headshot_url(player: Player, team: Team, season: int) -> str:
    return f"{ASSETS}/mugs/{season}/{team.abbrev}/{player.player_id}.png"


def build_landing_page(source: PageSource, player_id: int, as_of: datetime) -> Page | None:
    """Return a player's page, in the newest season that has begun; None for an unknown player.

    Like a rookie's page it has no season or career totals, because these would need every game of the player.
    """
    today = to_eastern_date(as_of)
    begun = [s for s in source.seasons if source.engine.season(s).preseason_start <= today] or [source.seasons[0]]
    for number in reversed(begun):
        player = source.engine.get_players(number).get(player_id)
        if player is not None:
            return _build_landing(source, player, source.engine.season(number), as_of)
    return None


def _build_landing(source: PageSource, player: Player, season: Season, as_of: datetime) -> Page:
    day = _clamp_to_season(season, as_of)
    team_id = source.engine.find_team_id(season.season, player.player_id, day)
    team = source.find_team(season.season, team_id) if team_id is not None else None
    mates = source.engine.roster(season.season, team.team_id, day) if team else ()
    own = next((spot for spot in mates if spot.player.player_id == player.player_id), None)
    page: Page = {"playerId": player.player_id, "isActive": team is not None} | (_build_team(team) if team else {})
    page |= {"firstName": localize_text(player.first), "lastName": localize_text(player.last), "badges": []}
    if team:
        page["teamLogo"] = build_logo_url(team, "light")
    if own:
        page["sweaterNumber"] = own.number
    page["position"] = player.position
    if team:
        page["headshot"] = _build_headshot_url(player, team, season.season)
    page |= _build_measurements(player) | _build_draft(player)
    page |= {"playerSlug": build_slug(player), "inTop100AllTime": 0, "inHHOF": 0}
    page |= {"shopLink": "#TODO", "twitterLink": "#TODO", "watchLink": "#TODO"}
    page["seasonTotals"] = _build_junior_seasons(source, player)
    return page | ({"currentTeamRoster": [_build_teammate(spot.player) for spot in mates]} if mates else {})


def _build_draft(player: Player) -> Page:
    draft = player.draft
    if draft is None:
        return {}
    details = {"year": draft.year, "teamAbbrev": draft.team_abbrev, "round": draft.round}
    return {"draftDetails": details | {"pickInRound": draft.pick_in_round, "overallPick": draft.overall_pick}}


def _build_team(team: Team) -> Page:
    return {
        "currentTeamId": team.team_id,
        "currentTeamAbbrev": team.abbrev,
        "fullTeamName": build_full_name(team),
        "teamCommonName": localize_text(team.common_name),
        "teamPlaceNameWithPreposition": localize_text(team.place_with_preposition),
    }


def _build_measurements(player: Player) -> Page:
    page: Page = {
        "heroImage": f"{ASSETS}/mugs/actionshots/{player.player_id}.jpg",
        "heightInInches": player.height_in,
        "heightInCentimeters": round(player.height_in * CM_PER_INCH),
        "weightInPounds": player.weight_lb,
        "weightInKilograms": round(player.weight_lb * KG_PER_LB),
        "birthDate": f"{player.birth_date}",
        "birthCity": localize_text(player.birth_city),
    }
    if player.birth_state:
        page["birthStateProvince"] = localize_text(player.birth_state)
    return page | {"birthCountry": player.country, "shootsCatches": player.shoots}


def _build_junior_seasons(source: PageSource, player: Player) -> list[Page]:
    """Return two invented seasons in a junior league."""
    rng = create_rng("junior", source.seed, player.player_id)
    league, rows = rng.choice(JUNIOR_LEAGUES), []
    first = player.birth_date.year + 17
    for year in (first, first + 1):
        goals, assists = rng.randint(0, 30), rng.randint(0, 40)
        rows.append({
            "assists": assists,
            "gameTypeId": 2,
            "gamesPlayed": rng.randint(20, 66),
            "goals": goals,
            "leagueAbbrev": league,
            "pim": rng.randint(0, 80),
            "points": goals + assists,
            "season": year * 10_000 + year + 1,
            "sequence": 1,
            "teamName": {"default": f"{dict(player.birth_city)['default']} Juniors"},
        })  # fmt: skip
    return [dict(row) for row in rows]


def build_slug(player: Player) -> str:
    """Return a name for URLs: lower case, words joined by hyphens."""
    name = f"{dict(player.first)['default']} {dict(player.last)['default']}".lower()
    return "-".join([*"".join(c if c.isalnum() else " " for c in name).split(), f"{player.player_id}"])


def _build_teammate(player: Player) -> Page:
    return {
        "playerId": player.player_id,
        "lastName": localize_text(player.last),
        "firstName": localize_text(player.first),
        "playerSlug": build_slug(player),
    }
