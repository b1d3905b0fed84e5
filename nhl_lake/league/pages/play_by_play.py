"""gamecenter/{id}/play-by-play: every row of a game so far, and who is dressed."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from nhl_lake.league import broken, quirks
from nhl_lake.league.broken import Way
from nhl_lake.league.model import AWAY, HOME, Event, ScheduledGame, Spot
from nhl_lake.league.pages.headers import ASSETS, clock_text, period_descriptor, words
from nhl_lake.league.pages.moment import full_length
from nhl_lake.league.pages.seen import Seen, ending, game_clock, head, sides, watch
from nhl_lake.league.pages.source import Page, Source

PLACE = ("xCoord", "yCoord", "zoneCode")
DETAILS: dict[str, tuple[str, ...]] = {
    "faceoff": ("eventOwnerTeamId", "losingPlayerId", "winningPlayerId", *PLACE),
    "hit": (*PLACE, "eventOwnerTeamId", "hittingPlayerId", "hitteePlayerId"),
    "giveaway": (*PLACE, "eventOwnerTeamId", "playerId"),
    "takeaway": (*PLACE, "eventOwnerTeamId", "playerId"),
    "goal": (*PLACE, "shotType", "scoringPlayerId", "eventOwnerTeamId", "goalieInNetId"),
    "shot-on-goal": (*PLACE, "shotType", "shootingPlayerId", "goalieInNetId", "eventOwnerTeamId"),
    "missed-shot": (*PLACE, "reason", "shotType", "shootingPlayerId", "goalieInNetId", "eventOwnerTeamId"),
    "blocked-shot": (*PLACE, "blockingPlayerId", "shootingPlayerId", "eventOwnerTeamId", "reason"),
    "failed-shot-attempt": (*PLACE, "shootingPlayerId", "goalieInNetId", "eventOwnerTeamId"),
    "penalty": (
        *PLACE, "typeCode", "descKey", "duration", "servedByPlayerId", "committedByPlayerId", "drawnByPlayerId",
        "eventOwnerTeamId",
    ),
    "delayed-penalty": ("eventOwnerTeamId",),
    "stoppage": ("reason", "secondaryReason"),
}  # fmt: skip
READ: dict[str, Callable[[Event], object]] = {
    "xCoord": lambda event: event.x,
    "yCoord": lambda event: event.y,
    "zoneCode": lambda event: event.zone,
    "winningPlayerId": lambda event: event.player,
    "losingPlayerId": lambda event: event.other,
    "hittingPlayerId": lambda event: event.player,
    "hitteePlayerId": lambda event: event.other,
    "playerId": lambda event: event.player,
    "scoringPlayerId": lambda event: event.player,
    "shootingPlayerId": lambda event: event.player,
    "blockingPlayerId": lambda event: event.other,
    "goalieInNetId": lambda event: event.goalie,
    "shotType": lambda event: event.shot_type,
    "reason": lambda event: event.reason,
    "secondaryReason": lambda event: event.secondary,
    "typeCode": lambda event: event.penalty_type,
    "descKey": lambda event: event.desc,
    "duration": lambda event: event.minutes,
    "servedByPlayerId": lambda event: event.served_by,
    "committedByPlayerId": lambda event: event.player,
    "drawnByPlayerId": lambda event: event.other,
}


def play_by_play(source: Source, game: ScheduledGame, as_of: datetime) -> Page:
    """The page of a game at a moment."""
    seen = watch(source, game, as_of)
    page = head(source, seen) | sides(seen)
    page |= {"shootoutInUse": game.game_type != 3, "otInUse": True} | game_clock(seen) | {"displayPeriod": 1}
    if game.game_type != 3:
        page["maxPeriods"] = 5
    page |= ending(seen)
    page |= {"plays": plays(source, _published(source, seen, as_of)), "rosterSpots": _roster(source, seen, as_of)}
    page["regPeriods"] = 3
    return page | ({"summary": {}} if seen.now.begun else {})


def _published(source: Source, seen: Seen, as_of: datetime) -> Seen:
    """A game with the rows that its page has: fewer or others for some days, where a quirk says so."""
    if not seen.now.over:
        return seen
    game_id = seen.game.game_id
    rows = broken.published_plays(source.troubles(game_id), source.engine.game(game_id), seen.events, as_of)
    return seen._replace(events=tuple(rows))


def _roster(source: Source, seen: Seen, as_of: datetime) -> list[Page]:
    """The dressed players; for some days those of the next game of the calendar, where a quirk says so."""
    if seen.now.over and source.troubles(seen.game.game_id).at(Way.FOREIGN_ROSTER, as_of):
        seen = _other_game(source, seen)
    spots = sorted((*seen.dressed(HOME), *seen.dressed(AWAY)), key=lambda spot: spot.player.player_id)
    return [_roster_spot(seen.game, seen, spot) for spot in spots]


def _other_game(source: Source, seen: Seen) -> Seen:
    """The nearest game of the calendar between two other teams."""
    game = seen.game
    teams = {game.home_id, game.away_id}
    others = source.engine.playoffs(game.season) if game.game_type == 3 else source.engine.schedule(game.season)
    apart = (other for other in others if other.played and not teams & {other.home_id, other.away_id})
    other = min(apart, key=lambda other: abs(other.game_id - game.game_id))
    home, away = (source.team(other.season, team) for team in (other.home_id, other.away_id))
    return seen._replace(game=other, teams=(home, away), story=source.engine.story(other.game_id))


def plays(source: Source, seen: Seen) -> list[Page]:
    """The rows so far."""
    tally: Counter[tuple[str, int]] = Counter()
    return [_play(source, seen, event, tally) for event in seen.events]


def _play(source: Source, seen: Seen, event: Event, tally: Counter[tuple[str, int]]) -> Page:
    full = full_length(seen.game, event.period)
    row: Page = {
        "eventId": event.event_id,
        "periodDescriptor": period_descriptor(seen.game, event.period),
        "timeInPeriod": clock_text(event.second),
        "timeRemaining": clock_text(max(full - event.second, 0)),
    }
    if event.situation is not None:
        row["situationCode"] = event.situation
    row |= {
        "homeTeamDefendingSide": event.home_defends,
        "typeCode": event.type_code,
        "typeDescKey": event.kind,
        "sortOrder": event.sort_order,
    }
    if event.kind in DETAILS:
        row["details"] = _details(source, seen, event, tally)
    if event.kind == "goal" and event.period_type != "SO":
        row["pptReplayUrl"] = f"{ASSETS}/sprites/{seen.game.season}/{seen.game.game_id}/ev{event.event_id}.json"
    return row


def _details(source: Source, seen: Seen, event: Event, tally: Counter[tuple[str, int]]) -> Page:
    old = event.kind == "blocked-shot" and quirks.old_blocks(seen.game.season)
    details: Page = {}
    for key in DETAILS[event.kind]:
        if key == "eventOwnerTeamId":
            details[key] = _owner(seen, event)
        elif not (old and key == "reason") and (value := READ[key](event)) is not None:
            details[key] = value
    if event.kind == "goal":
        details |= _totals(source, seen, event, tally) | _score(event) | _clips(seen, event)
    return details | _shots(event, tally)


def _shots(event: Event, tally: Counter[tuple[str, int]]) -> Page:
    """The running count beside a shot on goal, goals left out, and beside an attempt that came to no shot."""
    if event.kind == "shot-on-goal" and event.side is not None:
        tally["shots", event.side] += 1
    elif event.kind != "failed-shot-attempt":
        return {}
    return {"awaySOG": tally["shots", AWAY], "homeSOG": tally["shots", HOME]}


def _owner(seen: Seen, event: Event) -> int:
    side = event.side or HOME
    if event.kind == "blocked-shot" and quirks.old_blocks(seen.game.season) and event.reason == "blocked":
        side = 1 - side
    return seen.teams[side].team_id


def _totals(source: Source, seen: Seen, event: Event, tally: Counter[tuple[str, int]]) -> Page:
    """Names beside a goal, each with his total of the season."""
    found: Page = {"scoringPlayerTotal": _total(source, seen, event, tally)}
    for number, player in enumerate(event.assists, start=1):
        tally["assists", player] += 1
        before = quirks.season_total(
            source.seed, source.engine.season(seen.game.season), seen.game, player_id=player, what="assists"
        )
        found |= {f"assist{number}PlayerId": player, f"assist{number}PlayerTotal": before + tally["assists", player]}
    return found


def _total(source: Source, seen: Seen, event: Event, tally: Counter[tuple[str, int]]) -> int:
    player = event.player or 0
    if event.period_type != "SO":
        tally["goals", player] += 1
    season = source.engine.season(seen.game.season)
    before = quirks.season_total(source.seed, season, seen.game, player_id=player, what="goals")
    return before + tally["goals", player]


def _score(event: Event) -> Page:
    return {"awayScore": event.score[AWAY], "homeScore": event.score[HOME]} if event.score else {}


def _clips(seen: Seen, event: Event) -> Page:
    if event.period_type == "SO":
        return {}
    first = (seen.game.game_id * 2000 + event.event_id) * 4
    keys = ("highlightClip", "highlightClipFr", "discreteClip", "discreteClipFr")
    clips: Page = {key: first + n for n, key in enumerate(keys)}
    shared: Page = {
        "highlightClipSharingUrl": f"{ASSETS}/video/goal-{clips['highlightClip']}",
        "highlightClipSharingUrlFr": f"{ASSETS}/fr/video/but-{clips['highlightClipFr']}",
    }
    return shared | clips


def _roster_spot(game: ScheduledGame, seen: Seen, spot: Spot) -> Page:
    abbrev = seen.teams[HOME if spot.team_id == game.home_id else AWAY].abbrev
    return {
        "teamId": spot.team_id,
        "playerId": spot.player.player_id,
        "firstName": words(spot.player.first),
        "lastName": words(spot.player.last),
        "sweaterNumber": spot.number,
        "positionCode": spot.position,
        "headshot": f"{ASSETS}/mugs/{game.season}/{abbrev}/{spot.player.player_id}.png",
    }
