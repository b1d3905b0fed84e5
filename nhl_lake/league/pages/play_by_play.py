"""gamecenter/{id}/play-by-play: every row of a game so far, and the dressed players."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from nhl_lake.league import defects, quirks
from nhl_lake.league.defects import Defect
from nhl_lake.league.model import AWAY, HOME, Event, RosterSpot, ScheduledGame
from nhl_lake.league.pages.game_status import get_full_length
from nhl_lake.league.pages.game_view import (
    GameView,
    build_game_clock,
    build_game_outcome,
    build_header,
    build_team_blocks,
    view_game,
)
from nhl_lake.league.pages.headers import ASSETS, build_period_descriptor, format_clock, localize_text
from nhl_lake.league.pages.page_source import Page, PageSource

LOCATION_KEYS = ("xCoord", "yCoord", "zoneCode")
DETAIL_KEYS: dict[str, tuple[str, ...]] = {
    "faceoff": ("eventOwnerTeamId", "losingPlayerId", "winningPlayerId", *LOCATION_KEYS),
    "hit": (*LOCATION_KEYS, "eventOwnerTeamId", "hittingPlayerId", "hitteePlayerId"),
    "giveaway": (*LOCATION_KEYS, "eventOwnerTeamId", "playerId"),
    "takeaway": (*LOCATION_KEYS, "eventOwnerTeamId", "playerId"),
    "goal": (*LOCATION_KEYS, "shotType", "scoringPlayerId", "eventOwnerTeamId", "goalieInNetId"),
    "shot-on-goal": (*LOCATION_KEYS, "shotType", "shootingPlayerId", "goalieInNetId", "eventOwnerTeamId"),
    "missed-shot": (*LOCATION_KEYS, "reason", "shotType", "shootingPlayerId", "goalieInNetId", "eventOwnerTeamId"),
    "blocked-shot": (*LOCATION_KEYS, "blockingPlayerId", "shootingPlayerId", "eventOwnerTeamId", "reason"),
    "failed-shot-attempt": (*LOCATION_KEYS, "shootingPlayerId", "goalieInNetId", "eventOwnerTeamId"),
    "penalty": (
        *LOCATION_KEYS, "typeCode", "descKey", "duration", "servedByPlayerId", "committedByPlayerId", "drawnByPlayerId",
        "eventOwnerTeamId",
    ),
    "delayed-penalty": ("eventOwnerTeamId",),
    "stoppage": ("reason", "secondaryReason"),
}  # fmt: skip
DETAIL_READERS: dict[str, Callable[[Event], object]] = {
    "xCoord": lambda event: event.x,
    "yCoord": lambda event: event.y,
    "zoneCode": lambda event: event.zone,
    "winningPlayerId": lambda event: event.player,
    "losingPlayerId": lambda event: event.other_player,
    "hittingPlayerId": lambda event: event.player,
    "hitteePlayerId": lambda event: event.other_player,
    "playerId": lambda event: event.player,
    "scoringPlayerId": lambda event: event.player,
    "shootingPlayerId": lambda event: event.player,
    "blockingPlayerId": lambda event: event.other_player,
    "goalieInNetId": lambda event: event.goalie,
    "shotType": lambda event: event.shot_type,
    "reason": lambda event: event.reason,
    "secondaryReason": lambda event: event.secondary_reason,
    "typeCode": lambda event: event.penalty_type,
    "descKey": lambda event: event.desc,
    "duration": lambda event: event.minutes,
    "servedByPlayerId": lambda event: event.served_by,
    "committedByPlayerId": lambda event: event.player,
    "drawnByPlayerId": lambda event: event.other_player,
}


def build_play_by_play_page(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the page of a game at a time."""
    view = view_game(source, game, as_of)
    page = build_header(source, view) | build_team_blocks(view)
    page |= {"shootoutInUse": game.game_type != 3, "otInUse": True} | build_game_clock(view) | {"displayPeriod": 1}
    if game.game_type != 3:
        page["maxPeriods"] = 5
    page |= build_game_outcome(view)
    page |= {
        "plays": build_plays(source, _replace_events(source, view, as_of)),
        "rosterSpots": _build_roster(source, view, as_of),
    }
    page["regPeriods"] = 3
    return page | ({"summary": {}} if view.status.has_started else {})


def _replace_events(source: PageSource, view: GameView, as_of: datetime) -> GameView:
    """Return a game with the rows on its page, which may have defects for some days."""
    if not view.status.is_over:
        return view
    game_id = view.game.game_id
    rows = defects.apply_play_defects(
        source.get_page_defects(game_id), source.engine.get_game(game_id), view.events, as_of
    )
    return view._replace(events=tuple(rows))


def _build_roster(source: PageSource, view: GameView, as_of: datetime) -> list[Page]:
    """Return the dressed players; with a defect, those of another game for some days."""
    if view.status.is_over and source.get_page_defects(view.game.game_id).open_rng(Defect.FOREIGN_ROSTER, as_of):
        view = _view_other_game(source, view)
    spots = sorted(
        (*view.list_dressed_players(HOME), *view.list_dressed_players(AWAY)), key=lambda spot: spot.player.player_id
    )
    return [_build_roster_spot(view.game, view, spot) for spot in spots]


def _view_other_game(source: PageSource, view: GameView) -> GameView:
    """Return the nearest game of the calendar between two other teams."""
    game = view.game
    teams = {game.home_id, game.away_id}
    others = source.engine.playoffs(game.season) if game.game_type == 3 else source.engine.schedule(game.season)
    apart = (other for other in others if other.is_played and not teams & {other.home_id, other.away_id})
    other = min(apart, key=lambda other: abs(other.game_id - game.game_id))
    home, away = (source.find_team(other.season, team) for team in (other.home_id, other.away_id))
    return view._replace(game=other, teams=(home, away), outcome=source.engine.get_outcome(other.game_id))


def build_plays(source: PageSource, view: GameView) -> list[Page]:
    """Return the rows so far."""
    tally: Counter[tuple[str, int]] = Counter()
    return [_build_play(source, view, event, tally) for event in view.events]


def _build_play(source: PageSource, view: GameView, event: Event, tally: Counter[tuple[str, int]]) -> Page:
    full = get_full_length(view.game, event.period)
    row: Page = {
        "eventId": event.event_id,
        "periodDescriptor": build_period_descriptor(view.game, event.period),
        "timeInPeriod": format_clock(event.second),
        "timeRemaining": format_clock(max(full - event.second, 0)),
    }
    if event.situation is not None:
        row["situationCode"] = event.situation
    row |= {
        "homeTeamDefendingSide": event.home_defending_side,
        "typeCode": event.type_code,
        "typeDescKey": event.kind,
        "sortOrder": event.sort_order,
    }
    if event.kind in DETAIL_KEYS:
        row["details"] = _build_details(source, view, event, tally)
    if event.kind == "goal" and event.period_type != "SO":
        row["pptReplayUrl"] = f"{ASSETS}/sprites/{view.game.season}/{view.game.game_id}/ev{event.event_id}.json"
    return row


def _build_details(source: PageSource, view: GameView, event: Event, tally: Counter[tuple[str, int]]) -> Page:
    old = event.kind == "blocked-shot" and quirks.has_old_blocks(view.game.season)
    details: Page = {}
    for key in DETAIL_KEYS[event.kind]:
        if key == "eventOwnerTeamId":
            details[key] = _find_owner_team(view, event)
        elif not (old and key == "reason") and (value := DETAIL_READERS[key](event)) is not None:
            details[key] = value
    if event.kind == "goal":
        details |= _build_player_totals(source, view, event, tally) | _build_score(event) | _build_clips(view, event)
    return details | _count_shots(event, tally)


def _count_shots(event: Event, tally: Counter[tuple[str, int]]) -> Page:
    """Return the running count of shots next to a shot on goal (not a goal), or next to an attempt without a shot."""
    if event.kind == "shot-on-goal" and event.side is not None:
        tally["shots", event.side] += 1
    elif event.kind != "failed-shot-attempt":
        return {}
    return {"awaySOG": tally["shots", AWAY], "homeSOG": tally["shots", HOME]}


def _find_owner_team(view: GameView, event: Event) -> int:
    side = event.side or HOME
    if event.kind == "blocked-shot" and quirks.has_old_blocks(view.game.season) and event.reason == "blocked":
        side = 1 - side
    return view.teams[side].team_id


def _build_player_totals(source: PageSource, view: GameView, event: Event, tally: Counter[tuple[str, int]]) -> Page:
    """Return the scorer and assists of a goal, each with the season total."""
    found: Page = {"scoringPlayerTotal": _count_scorer_total(source, view, event, tally)}
    for number, player in enumerate(event.assists, start=1):
        tally["assists", player] += 1
        before = quirks.draw_season_total(
            source.seed, source.engine.season(view.game.season), view.game, player_id=player, what="assists"
        )
        found |= {f"assist{number}PlayerId": player, f"assist{number}PlayerTotal": before + tally["assists", player]}
    return found


def _count_scorer_total(source: PageSource, view: GameView, event: Event, tally: Counter[tuple[str, int]]) -> int:
    player = event.player or 0
    if event.period_type != "SO":
        tally["goals", player] += 1
    season = source.engine.season(view.game.season)
    before = quirks.draw_season_total(source.seed, season, view.game, player_id=player, what="goals")
    return before + tally["goals", player]


def _build_score(event: Event) -> Page:
    return {"awayScore": event.score[AWAY], "homeScore": event.score[HOME]} if event.score else {}


def _build_clips(view: GameView, event: Event) -> Page:
    if event.period_type == "SO":
        return {}
    first = (view.game.game_id * 2000 + event.event_id) * 4
    keys = ("highlightClip", "highlightClipFr", "discreteClip", "discreteClipFr")
    clips: Page = {key: first + n for n, key in enumerate(keys)}
    shared: Page = {
        "highlightClipSharingUrl": f"{ASSETS}/video/goal-{clips['highlightClip']}",
        "highlightClipSharingUrlFr": f"{ASSETS}/fr/video/but-{clips['highlightClipFr']}",
    }
    return shared | clips


def _build_roster_spot(game: ScheduledGame, view: GameView, spot: RosterSpot) -> Page:
    abbrev = view.teams[HOME if spot.team_id == game.home_id else AWAY].abbrev
    return {
        "teamId": spot.team_id,
        "playerId": spot.player.player_id,
        "firstName": localize_text(spot.player.first),
        "lastName": localize_text(spot.player.last),
        "sweaterNumber": spot.number,
        "positionCode": spot.position,
        "headshot": f"{ASSETS}/mugs/{game.season}/{abbrev}/{spot.player.player_id}.png",
    }
