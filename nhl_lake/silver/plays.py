"""Plays: the events of a game, in order."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import PLAY_BY_PLAY
from nhl_lake.bronze.numbers import Coordinate, Int16, Int32, Int64
from nhl_lake.hockey import (
    acting_team,
    clock_text,
    event_order,
    goalies_in_net,
    repeated_goals,
    rink,
    sequence,
    shot_events,
    strength,
    strength_source,
)
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.parsing.pages import PageStruct, read_final_pages
from nhl_lake.silver.shifts import SHIFTS


class Period(PageStruct):
    """The period of a play."""

    number: Int16
    periodType: str


class Details(PageStruct):
    """The players, location and details of a play."""

    eventOwnerTeamId: Int32 | None = None
    shootingPlayerId: Int64 | None = None
    scoringPlayerId: Int64 | None = None
    assist1PlayerId: Int64 | None = None
    assist2PlayerId: Int64 | None = None
    assist3PlayerId: Int64 | None = None
    goalieInNetId: Int64 | None = None
    blockingPlayerId: Int64 | None = None
    hittingPlayerId: Int64 | None = None
    hitteePlayerId: Int64 | None = None
    playerId: Int64 | None = None
    winningPlayerId: Int64 | None = None
    losingPlayerId: Int64 | None = None
    committedByPlayerId: Int64 | None = None
    drawnByPlayerId: Int64 | None = None
    servedByPlayerId: Int64 | None = None
    xCoord: Coordinate | None = None
    yCoord: Coordinate | None = None
    zoneCode: str | None = None
    shotType: str | None = None
    reason: str | None = None
    secondaryReason: str | None = None
    typeCode: str | None = None
    descKey: str | None = None
    duration: Int16 | None = None
    homeScore: Int16 | None = None
    awayScore: Int16 | None = None


class Play(PageStruct):
    """A play on a play-by-play page."""

    eventId: Int32
    sortOrder: Int32
    periodDescriptor: Period
    typeCode: Int16
    typeDescKey: str
    timeInPeriod: str | None = None
    situationCode: str | None = None
    homeTeamDefendingSide: str | None = None
    details: Details | None = None


class Side(PageStruct):
    """A team in the header of the page."""

    id: Int32
    score: Int16 | None = None


class RosterSpot(PageStruct):
    """A dressed player and their team in this game."""

    playerId: Int64
    teamId: Int32


class Page(PageStruct):
    """A play-by-play page."""

    id: Int64
    season: Int32
    gameType: Int16
    homeTeam: Side
    awayTeam: Side
    plays: list[Play]
    rosterSpots: list[RosterSpot]


def declare_player(role: str, description: str) -> Column:
    """Declare a column of player ids."""
    return Column(f"{role}_player_id", pl.Int64, description, nullable=True)


def declare_flag(name: str, description: str) -> Column:
    """Declare a boolean column."""
    return Column(name, pl.Boolean, description)


def declare_enum(name: str, values: tuple[str, ...], description: str) -> Column:
    """Declare a text column with a fixed set of values."""
    return Column(name, pl.String, description, nullable=True, values=values)


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.event_id,
    Column(
        "event_number", pl.Int32, "Order of the event in the game, from 1: the page's order; before 2019-20 the clock's"
    ),
    Column("sort_order", pl.Int32, "Order of the event on the page; does not follow the clock before 2019-20"),
    c.period,
    Column("period_type", pl.String, "REG, OT or SO", values=c.PERIOD_TYPES),
    Column(
        "period_seconds",
        pl.Int32,
        "Time since the period began; null if the page has no time, or one outside a period",
        "s",
        nullable=True,
    ),
    Column("game_seconds", pl.Int32, "Time since the game began; null in a shootout", "s", nullable=True),
    Column("type_code", pl.Int16, "NHL code of the event type"),
    Column("event", pl.String, "Event type: goal, shot-on-goal, missed-shot, blocked-shot, faceoff, hit, …"),
    c.situation_code,
    Column(
        "strength_source",
        pl.String,
        "Source of the number of players: the page's code, or shifts or the penalty clock where the code is wrong",
        nullable=True,
        values=strength_source.STRENGTH_SOURCES,
    ),
    Column("has_away_goalie", pl.Boolean, "Whether the away goalie is in the net, before the event", nullable=True),
    Column("away_skaters", pl.Int16, "Skaters of the away team before the event", nullable=True),
    Column("home_skaters", pl.Int16, "Skaters of the home team before the event", nullable=True),
    Column("has_home_goalie", pl.Boolean, "Whether the home goalie is in the net, before the event", nullable=True),
    declare_enum(
        "strength_state",
        strength.STRENGTH_STATES,
        "Acting team's strength by players on the ice, including goalies; PS is a penalty shot",
    ),
    declare_enum(
        "situation",
        strength.SITUATIONS,
        "Acting team's skaters on the opponent's, with both goalies in; everything else is other",
    ),
    Column(
        "acting_team_id",
        pl.Int32,
        "Team of the shooter for attempts; the event's owner for other events",
        nullable=True,
    ),
    Column("event_owner_team_id_raw", pl.Int32, "Owner of the event, as on the page", nullable=True),
    replace(c.is_home, nullable=True),
    c.home_team_id,
    c.away_team_id,
    declare_player("shooter", "Shooter, or goal scorer"),
    declare_player("assist1", "Primary assist"),
    declare_player("assist2", "Secondary assist"),
    declare_player("assist3", "Third assist; credited from 1927 to 1936 only"),
    declare_player("goalie", "Goalie who faced the shot; null for an empty net, a blocked shot, or if unknown"),
    declare_enum(
        "goalie_source",
        goalies_in_net.GOALIE_SOURCES,
        "Source of the goalie: the page, or, if it names none, shifts or the goalies named elsewhere; null without one",
    ),
    declare_player("blocker", "Player who blocked the shot"),
    declare_player("hitter", "Player who gave the hit"),
    declare_player("hittee", "Player who took the hit"),
    declare_player("giveaway", "Player with the giveaway"),
    declare_player("takeaway", "Player with the takeaway"),
    declare_player("faceoff_winner", "Player who won the faceoff"),
    declare_player("faceoff_loser", "Player who lost the faceoff"),
    declare_player("penalised", "Player charged with the penalty; null for a bench minor"),
    declare_player("drawn_by", "Player who drew the penalty"),
    declare_player("served_by", "Player who serves the penalty for another player or the bench"),
    Column(
        "shot_type",
        pl.String,
        "wrist, snap, slap, tip-in, …; null for a goal that went in off a defender or was awarded",
        nullable=True,
    ),
    Column("reason", pl.String, "Why play stopped, where a shot missed, or who blocked it", nullable=True),
    Column("secondary_reason", pl.String, "Second reason for a stoppage", nullable=True),
    Column("penalty_type_code", pl.String, "MIN, MAJ, BEN (bench), MIS, GAM, MAT, PS (penalty shot)", nullable=True),
    Column("penalty_description", pl.String, "Infraction: tripping, hooking, …", nullable=True),
    c.penalty_minutes,
    Column("x_raw_ft", pl.Float64, "Location along the ice from center, as on the page", "ft", nullable=True),
    Column("y_raw_ft", pl.Float64, "Location across the ice from center, as on the page", "ft", nullable=True),
    Column(
        "zone_code_raw",
        pl.String,
        "O, N or D zone of the event's owner, as on the page; for a block, of the blocker",
        nullable=True,
    ),
    Column(
        "x_ft",
        pl.Float64,
        "Location along the ice from center; positive toward the net that the acting team attacks",
        "ft",
        nullable=True,
    ),
    Column("y_ft", pl.Float64, "Location across the ice from center, rotated with `x_ft`", "ft", nullable=True),
    declare_enum(
        "coordinates_source",
        rink.COORDINATE_SOURCES,
        "Source of the team's direction of attack: the page, or inferred from the shots",
    ),
    declare_enum(
        "zone", ("O", "N", "D"), "Zone from the acting team's view, by `x_ft`; the blue lines belong to O and D"
    ),
    Column(
        "distance_ft", pl.Float64, "Distance of an unblocked attempt from the center of the net", "ft", nullable=True
    ),
    Column(
        "angle_deg",
        pl.Float64,
        "Angle of an unblocked attempt: 0 is straight in front, over 90 behind the goal line",
        "deg",
        nullable=True,
    ),
    Column("home_score_before", pl.Int16, "Goals of the home team before the event, without the shootout"),
    Column("away_score_before", pl.Int16, "Goals of the away team before the event, without the shootout"),
    Column("score_difference", pl.Int16, "Goal lead of the acting team before the event", nullable=True),
    declare_flag("is_goal", "Whether it is a goal; false in a shootout"),
    declare_flag("is_shot_on_goal", "Whether it counts as a shot on goal: a save, or a goal with a shot"),
    declare_flag(
        "is_unblocked_attempt",
        "Whether it is an unblocked attempt (Fenwick): a goal, save or miss; includes goals without a shot",
    ),
    declare_flag("is_attempt", "Whether it is a shot attempt (Corsi): unblocked or blocked; false in a shootout"),
    declare_flag("is_penalty_shot", "Whether it is a penalty shot or a shootout attempt"),
    Column("is_teammate_block", pl.Boolean, "Whether a teammate of the shooter blocked the shot", nullable=True),
    declare_flag(
        "is_rebound", "Whether an unblocked attempt follows a save or miss of the same team within 3 s (rebound)"
    ),
    declare_flag("is_rebound_incl_block", "Like `is_rebound`, but also after a blocked shot"),
    declare_flag("has_rebound", "Whether the next event is a rebound (`is_rebound`) of this shot"),
    declare_flag(
        "is_rush", "Whether an unblocked attempt follows an event outside its offensive zone within 4 s (rush)"
    ),
    Column("previous_event", pl.String, "Previous event of the period; delayed penalties are skipped", nullable=True),
    Column("seconds_since_previous_event", pl.Int32, "Time since the previous event", "s", nullable=True),
)

DETAIL_KEYS = {
    "event_owner_team_id_raw": "eventOwnerTeamId",
    "assist1_player_id": "assist1PlayerId",
    "assist2_player_id": "assist2PlayerId",
    "assist3_player_id": "assist3PlayerId",
    "goalie_player_id": "goalieInNetId",
    "blocker_player_id": "blockingPlayerId",
    "hitter_player_id": "hittingPlayerId",
    "hittee_player_id": "hitteePlayerId",
    "faceoff_winner_player_id": "winningPlayerId",
    "faceoff_loser_player_id": "losingPlayerId",
    "drawn_by_player_id": "drawnByPlayerId",
    "served_by_player_id": "servedByPlayerId",
    "shot_type": "shotType",
    "reason": "reason",
    "secondary_reason": "secondaryReason",
    "penalty_type_code": "typeCode",
    "penalty_description": "descKey",
    "penalty_minutes": "duration",
    "x_raw_ft": "xCoord",
    "y_raw_ft": "yCoord",
    "zone_code_raw": "zoneCode",
}


MAX_PERIOD_S = 1200
EVENT_IDENTITY = ("event_id", "period", "period_type", "game_seconds")  # these differ in a repeated event


EMPTY_SHIFTS, EMPTY_LINEUPS, EMPTY_GOALIE_GAMES = (
    pl.LazyFrame(schema=table.schema) for table in (SHIFTS, LINEUPS, GOALIE_GAMES)
)


def plays(
    play_by_play: pl.LazyFrame,
    shifts: pl.LazyFrame = EMPTY_SHIFTS,
    lineups: pl.LazyFrame = EMPTY_LINEUPS,
    goalie_games: pl.LazyFrame = EMPTY_GOALIE_GAMES,
) -> pl.LazyFrame:
    """One row per event of a final game, including the shootout (`period_type` SO).

    The acting team of an attempt is the shooter's. On the page, the owner of a blocked shot was the blocker's team
    until 2024, and is the shooter's since. Locations are in feet from center ice, with the acting team attacking toward
    +x; a blocked shot is located where it was blocked. An event that is repeated on its page, perhaps under another id,
    is one event, and so is a goal that is repeated within two seconds. If an attempt names no goalie, the goalie is
    filled in where only one is possible (`goalie_source`). The page's situation code is used unless penalties
    contradict it; then shifts or penalties give the number of players (`strength_source`). From `plays` of the newest
    final page of each game.
    """
    pages = read_final_pages(play_by_play, Page)
    positions = lineups.select("game_id", "player_id", "team_id", is_goalie=pl.col("position").eq_missing("G"))
    player_shifts = shifts.drop("team_id").join(positions, on=["game_id", "player_id"], validate="m:1")
    played = goalie_games.filter(pl.col("time_on_ice_s") > 0)
    return (
        parse_events(pages)
        .pipe(acting_team.add_acting_team, read_dressed_players(pages))
        .with_columns(is_penalty_shot=shot_events.is_penalty_shot())
        .pipe(goalies_in_net.fill_goalies, player_shifts, played)
        .with_columns(**shot_events.classify_attempts())
        .pipe(strength_source.add_player_counts, add_is_home(player_shifts, pages))
        .pipe(add_strength_and_score)
        .pipe(rink.orient_coordinates)
        .pipe(sequence.add_rebounds_and_rushes)
        .select(column.name for column in COLUMNS)
    )


def add_is_home(shifts: pl.LazyFrame, pages: pl.LazyFrame) -> pl.LazyFrame:
    """Add whether a shift belongs to the home team."""
    home_teams = pages.select(game_id="id", home_team_id=pl.col("homeTeam").struct.field("id"))
    return shifts.join(home_teams, on="game_id", validate="m:1").with_columns(
        is_home=pl.col("team_id") == pl.col("home_team_id")
    )


def parse_events(pages: pl.LazyFrame) -> pl.LazyFrame:
    """Parse the events of each page, without repeats, in the order of the game."""
    event, details = pl.col("plays").struct.field, pl.col("plays").struct.field("details").struct.field
    kind, period = event("typeDescKey"), event("periodDescriptor").struct.field
    clock = clock_text.parse_clock(event("timeInPeriod"))
    seconds = pl.when(clock <= MAX_PERIOD_S).then(clock)
    return (
        pages.explode("plays")
        .filter(pl.col("plays").is_not_null())
        .select(
            "season",
            game_id="id",
            game_type="gameType",
            home_team_id=pl.col("homeTeam").struct.field("id"),
            away_team_id=pl.col("awayTeam").struct.field("id"),
            event_id=event("eventId"),
            sort_order=event("sortOrder"),
            period=period("number"),
            period_type=period("periodType"),
            period_seconds=seconds,
            game_seconds=pl.when(period("periodType") != "SO").then(1200 * (period("number") - 1) + seconds),
            type_code=event("typeCode"),
            event=kind,
            situation_code=event("situationCode"),
            home_defends=event("homeTeamDefendingSide"),
            shooter_player_id=pl.coalesce(details("scoringPlayerId"), details("shootingPlayerId")),
            giveaway_player_id=pl.when(kind == "giveaway").then(details("playerId")),
            takeaway_player_id=pl.when(kind == "takeaway").then(details("playerId")),
            # a bench minor is charged to nobody, though old pages name a player
            penalised_player_id=pl.when(details("typeCode").ne_missing("BEN")).then(details("committedByPlayerId")),
            **{name: details(key) for name, key in DETAIL_KEYS.items()},
            home_score_on_page=details("homeScore"),
            away_score_on_page=details("awayScore"),
            home_final_goals=count_final_goals("homeTeam", "awayTeam"),
            away_final_goals=count_final_goals("awayTeam", "homeTeam"),
        )
        .sort("game_id", "sort_order", "event_id")
        .unique(pl.all().exclude(EVENT_IDENTITY), keep="first", maintain_order=True)
        .pipe(repeated_goals.drop_repeated_goals)
        .pipe(event_order.number_events)
    )


def count_final_goals(side: str, other: str) -> pl.Expr:
    """Return the goals of a team by the score in the page's header, to which a shootout win adds one."""
    score, opponent_score = (pl.col(team).struct.field("score") for team in (side, other))
    is_shootout = (pl.col("plays").struct.field("periodDescriptor").struct.field("periodType") == "SO").any()
    return score - (is_shootout.over("id") & (score > opponent_score)).cast(pl.Int64)


def read_dressed_players(pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dressed player. A player who is listed for both teams is left out."""
    spot = pl.col("spot").struct.field
    spots = pages.select(game_id="id", spot="rosterSpots").explode("spot")
    return (
        spots.select("game_id", player_id=spot("playerId"), team_id=spot("teamId"))
        .unique()
        .filter(pl.len().over("game_id", "player_id") == 1)
    )


def add_strength_and_score(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add the strength and the score before each event."""
    lead = pl.col("home_score_before") - pl.col("away_score_before")
    return events.with_columns(**shot_events.count_goals_before()).with_columns(
        strength_state=strength.classify_strength(),
        situation=strength.classify_situation(),
        score_difference=strength.pick_acting_team(lead, -lead),
    )


PLAYS = Table(
    name="silver.plays",
    grain="one event of a final game",
    key=("game_id", "event_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(PLAY_BY_PLAY, SHIFTS, LINEUPS, GOALIE_GAMES),
    page_structs={PLAY_BY_PLAY: (Page,)},
    source=plays,
    checks={
        "an event is within its period": pl.col("period_seconds").is_null()
        | pl.col("period_seconds").is_between(0, MAX_PERIOD_S),
        "the acting team plays in the game": pl.col("acting_team_id").is_null()
        | (pl.col("acting_team_id") == pl.col("home_team_id"))
        | (pl.col("acting_team_id") == pl.col("away_team_id")),
        "a goal has an acting team": (pl.col("event") != "goal") | pl.col("acting_team_id").is_not_null(),
    },
)
