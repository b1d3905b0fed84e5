"""The data of player cards: a frame per section, for one player or for every player of a season."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.gold.goalie_season import has_played
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.ids import format_season
from nhl_lake.queries.coverage import describe_seasons
from nhl_lake.queries.percentiles import read_percentiles
from nhl_lake.queries.rolling import roll_skaters
from nhl_lake.reports.sections import Section, plan_section, split_by_page
from nhl_lake.reports.shot_cells import count_cells, shade_cells
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

IS_ALL, IS_EVEN = (pl.col("situation") == name for name in (ALL_SITUATIONS, EVEN_SITUATION))
IS_COMPETITIVE = pl.col("game_type").is_in([2, 3])
TYPE_NAMES = {2: "regular", 3: "playoffs"}
FORWARDS = ("C", "L", "R")
GOALIE = "G"
MIN_TIME_TOGETHER_S = 300
COMBINATION = (
    "season", "game_type", "team_id", "team_abbrev", "games", "time_together_s", "on_ice_goals_for",
    "on_ice_goals_against", "on_ice_xg_for", "on_ice_xg_against", "on_ice_xg_share",
)  # fmt: skip
COMBINATIONS = {
    "lines": ("gold.line_season", ("first", "second", "third")),
    "pairs": ("gold.pair_season", ("first", "second")),
}
EVEN_COLUMNS = (
    "time_on_ice_s", "on_ice_xg_for", "on_ice_xg_against", "on_ice_xg_share", "on_ice_attempt_share",
)  # fmt: skip
SEASON_KEY = ("season", "game_type", "player_id", "team_id", "is_total")
DANGERS = ("low", "medium", "high")
SKATER_COLUMNS = (
    "team_abbrev", "position", "games", "games_with_shifts", "games_with_time", "goals", "assists", "points",
    "shots_on_goal", "xg", "goals_above_expected", "hits", "penalty_minutes", "time_on_ice_s",
    "even_strength_time_on_ice_s", "power_play_time_on_ice_s", "shorthanded_time_on_ice_s",
    "offensive_zone_start_share", "shrunk_goals_above_expected", "shrunk_goals_above_expected_low",
    "shrunk_goals_above_expected_high",
    *(f"{danger}_danger_{what}" for danger in DANGERS for what in ("attempts", "xg", "goals")),
)  # fmt: skip
EFFECT_COLUMNS = ("rapm_xg_per_60", "rapm_xg_per_60_low", "rapm_xg_per_60_high")
GOALIE_COLUMNS = (
    "team_abbrev", "games", "games_with_shifts", "games_with_time", "wins", "losses", "overtime_losses",
    "shots_against", "saves", "goals_against", "save_share", "xg_against", "goals_saved_above_expected",
    "time_on_ice_s", "shrunk_goals_saved_above_expected", "shrunk_goals_saved_above_expected_low",
    "shrunk_goals_saved_above_expected_high",
    *(f"{danger}_danger_{what}_against" for danger in DANGERS for what in ("attempts", "xg", "goals")),
)  # fmt: skip
GAME_COLUMNS = ("game_id", "game_type", "game_date", "team_id", "team_abbrev", "opponent_abbrev", "is_home")
GAME_ORDER = ("game_date", "game_id")
GAMES: Mapping[str, Section] = {
    "skater_games": Section(
        "gold.skater_game",
        (
            *GAME_COLUMNS, "position", "goals", "assists", "points", "shots_on_goal", "xg", "hits", "penalty_minutes",
            "game_score", "time_on_ice_s", "even_strength_time_on_ice_s", "power_play_time_on_ice_s",
            "shorthanded_time_on_ice_s", "time_source",
        ),
        GAME_ORDER,
        where=IS_ALL & IS_COMPETITIVE,
    ),
    "even_games": Section("gold.skater_game", ("game_id", *EVEN_COLUMNS), GAME_ORDER, where=IS_EVEN & IS_COMPETITIVE),
    "goalie_games": Section(
        "gold.goalie_game",
        (
            *GAME_COLUMNS, "is_starter", "decision", "shots_against", "saves", "goals_against", "save_share",
            "xg_against", "goals_saved_above_expected", "high_danger_attempts_against", "high_danger_goals_against",
            "time_on_ice_s",
        ),
        GAME_ORDER,
        where=IS_ALL & IS_COMPETITIVE & has_played(),
    ),
}  # fmt: skip
RESULT_COLUMNS = ("result", "score", "opponent_score", "last_period_type")
SHOT_COLUMNS = ("game_id", "x_ft", "y_ft", "xg", "is_goal", "is_shot_on_goal")


class PlayerData(NamedTuple):
    """What a player card shows. Frames are empty where the lake lacks the rows; the page then says what is missing.

    Games are those of the regular season and the playoffs.
    """

    player: dict[str, Any]  # a row of silver.players and the full name, `player`; null where there is no page
    season: int
    is_goalie: bool
    total: dict[str, Any]  # the row of `seasons` for this season over all teams, of the regular season if there is one
    percentiles: pl.DataFrame  # of the regular season, as `read_percentiles` returns them
    seasons: pl.DataFrame  # rows of gold.…_season, the newest first; of skaters also the columns at 5on5 (`even_…`)
    games: pl.DataFrame  # of the season, the oldest first; of skaters also the columns at 5on5 (`even_…`)
    shots: pl.DataFrame  # unblocked attempts of the season that have a place: taken, or faced by a goalie
    cells: pl.DataFrame  # the same in cells, as `count_cells` counts them
    league_cells: pl.DataFrame  # those of all forwards, defensemen or goalies, as `shade_cells` returns them
    rolling: pl.DataFrame  # on-ice xG of the last ten games, as `roll_skaters` returns it
    lines: pl.DataFrame  # of three forwards, with at least five minutes together at 5on5; most time first
    pairs: pl.DataFrame


def read_players(
    root: Location, season: int, player_ids: Collection[int] | None = None, *, has_league_map: bool = True
) -> Iterator[PlayerData]:
    """Yield the cards of everyone who played in a season, or of some of them, by player id. Tables are read once.

    A player without a game in the season has no card. has_league_map: without, `league_cells` is empty, which the cards
    of a site do not show.
    """
    plans = plan_frames(root, season, player_ids, has_league_map=has_league_map)
    frames = dict(zip(*collect_plans(plans), strict=True))
    league_cells = split_cells(frames.pop("league_cells"))
    people = {row["player_id"]: row for row in frames.pop("people").iter_rows(named=True)}
    frames["rolling"] = roll_skaters(root, season, player_ids=player_ids)
    frames["percentiles"] = read_percentiles(root, season)
    frames |= complete_games(frames) | name_rows(frames)
    split = split_by_page(frames, "player_id")
    empty = {name: rows.drop("player_id").clear() for name, rows in frames.items()}
    for player_id in sorted({*split["skater_games"], *split["goalie_games"]}):
        own = {name: parts.get(player_id, empty[name]) for name, parts in split.items()}
        yield build_player(season, player_id, people.get(player_id), own, league_cells)


def read_player(root: Location, player_id: int, season: int | None) -> PlayerData:
    """Return the card of a player in a season, the newest with a game by default; without a game it is an error."""
    kinds = (find_table("gold.skater_game"), find_table("gold.goalie_game"))
    own = (delta_tables.scan_table_or_empty(root, table).filter(pl.col("player_id") == player_id) for table in kinds)
    played = pl.concat(rows.filter(IS_COMPETITIVE).select("season").unique() for rows in own).collect()["season"]
    seasons = played.unique().sort(descending=True).to_list()
    chosen = next(iter(seasons), None) if season is None else season
    found = None if chosen is None else next(read_players(root, chosen, [player_id]), None)
    if found is not None:
        return found
    where = f" in {format_season(season)}" if season else ""
    raise BadInput(
        f"The lake has no regular-season or playoff games of player {player_id}{where}.",
        f"It has those of {describe_seasons(seasons)}." if seasons else "`nhl-lake status` shows what the lake has.",
    )


def collect_plans(plans: Mapping[str, pl.LazyFrame]) -> tuple[Sequence[str], Sequence[pl.DataFrame]]:
    """Return the names and the rows of plans, each table read once."""
    return list(plans), pl.collect_all(plans.values())


def plan_frames(
    root: Location, season: int, player_ids: Collection[int] | None, *, has_league_map: bool
) -> dict[str, pl.LazyFrame]:
    """Return the rows of every section, with `player_id`."""
    plans = {name: plan_section(root, section, season, "player_id", player_ids) for name, section in GAMES.items()}
    ids = None if player_ids is None else sorted(player_ids)
    for kind in ("skater", "goalie"):
        plans[f"{kind}_seasons"] = plan_seasons(root, kind, season, ids)
    shots = scan_shots(root, season)
    taken, faced = split_shots(shots)
    for name, rows in (("taken", taken), ("faced", faced)):
        own = rows if ids is None else rows.filter(pl.col("player_id").is_in(ids))
        plans[name] = own.select("player_id", *SHOT_COLUMNS)
        plans[f"{name}_cells"] = count_cells(own, ["player_id"])
    plans["league_cells"] = count_league_cells(shots if has_league_map else shots.head(0))
    for name, (table, partners) in COMBINATIONS.items():
        plans[name] = plan_combinations(root, table, partners, season, ids)
    results = delta_tables.scan_table_or_empty(root, find_table("silver.team_games")).filter(pl.col("season") == season)
    plans["results"] = results.select("game_id", "team_id", *RESULT_COLUMNS)
    people = delta_tables.scan_table_or_empty(root, find_table("silver.players"))
    plans["people"] = people if ids is None else people.filter(pl.col("player_id").is_in(ids))
    return plans


def scan_shots(root: Location, season: int) -> pl.LazyFrame:
    """Return the unblocked attempts of a season's games that have a place."""
    rows = delta_tables.scan_table_or_empty(root, find_table("gold.shots")).filter(pl.col("season") == season)
    rows = rows.filter(IS_COMPETITIVE, pl.col("is_unblocked_attempt"), pl.col("x_ft").is_not_null())
    return rows.select("shooter_player_id", "shooter_position", "goalie_player_id", *SHOT_COLUMNS)


def plan_seasons(root: Location, kind: str, season: int, ids: Sequence[int] | None) -> pl.LazyFrame:
    """Return all seasons of the players of a season: rows over all teams, then by team if they had several."""
    rows = delta_tables.scan_table_or_empty(root, find_table(f"gold.{kind}_season")).filter(IS_COMPETITIVE)
    if ids is None:
        ids_of_season = rows.filter(pl.col("season") == season).select("player_id").unique()
        rows = rows.join(ids_of_season, on="player_id", how="semi")
    else:
        rows = rows.filter(pl.col("player_id").is_in(ids))
    of_team = pl.len().over("season", "game_type", "player_id") - 1
    columns = SKATER_COLUMNS if kind == "skater" else GOALIE_COLUMNS
    found = rows.filter(IS_ALL).select(*SEASON_KEY, *columns, "player").filter(pl.col("is_total") | (of_team > 1))
    if kind == "skater":
        even = rows.filter(IS_EVEN).select(*SEASON_KEY, *(pl.col(name).alias(f"even_{name}") for name in EVEN_COLUMNS))
        effects = delta_tables.scan_table_or_empty(root, find_table("gold.skater_rapm")).filter(IS_EVEN)
        effects = effects.select("season", "game_type", "player_id", *EFFECT_COLUMNS, is_total=pl.lit(value=True))
        found = found.join(even, on=SEASON_KEY, how="left", validate="1:1").join(
            effects, on=["season", "game_type", "player_id", "is_total"], how="left", validate="m:1"
        )
    order = ("player_id", "season", "game_type", "is_total", "games", "team_id")
    return found.sort(order, descending=[False, True, False, True, True, False])


def plan_combinations(
    root: Location, table: str, partners: Sequence[str], season: int, ids: Sequence[int] | None
) -> pl.LazyFrame:
    """Return the lines or pairs of a season, once for each of its players; most time first.

    `mate_1`, `mate_1_id` and so on are the others.
    """
    rows = delta_tables.scan_table_or_empty(root, find_table(table)).filter(
        pl.col("season") == season, IS_COMPETITIVE, pl.col("time_together_s") >= MIN_TIME_TOGETHER_S
    )
    each = pl.concat(
        rows.select(*name_mates(which, partners), *list_player_keys(partners), *COMBINATION) for which in partners
    )
    if ids is not None:
        each = each.filter(pl.col("player_id").is_in(ids))
    order = ["player_id", "time_together_s", *list_player_keys(partners), "game_type"]
    return each.sort(order, descending=[False, True, *[False] * (len(order) - 2)])


def name_mates(which: str, partners: Sequence[str]) -> list[pl.Expr]:
    """Return the columns of a line or pair as one of its players sees it: `player_id`, and the others as mates."""
    mates = [
        pl.col(f"{other}_player{end}").alias(f"mate_{number}{end}")
        for number, other in enumerate((other for other in partners if other != which), 1)
        for end in ("_id", "")
    ]
    return [pl.col(f"{which}_player_id").alias("player_id"), *mates]


def list_player_keys(partners: Sequence[str]) -> list[str]:
    """Return the columns that identify the players of a line or pair."""
    return [f"{which}_player_id" for which in partners]


def split_shots(shots: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return shots by the player who took them, and by the goalie who faced them: with `player_id`."""
    faced = shots.filter(pl.col("goalie_player_id").is_not_null()).with_columns(player_id="goalie_player_id")
    return shots.with_columns(player_id="shooter_player_id"), faced


def count_league_cells(shots: pl.LazyFrame) -> pl.LazyFrame:
    """Return the cells of all forwards, defensemen and goalies (`kind`: F, D, G), as `count_cells` counts them."""
    taken, faced = split_shots(shots)
    is_forward = pl.col("shooter_position").is_in(FORWARDS)
    kind_of_shooter = pl.when(is_forward).then(pl.lit("F")).when(pl.col("shooter_position") == "D").then(pl.lit("D"))
    every = pl.concat([taken.with_columns(kind=kind_of_shooter), faced.with_columns(kind=pl.lit(GOALIE))])
    return count_cells(every.filter(pl.col("kind").is_not_null()), ["kind"])


def read_league_cells(root: Location, season: int) -> dict[str, pl.DataFrame]:
    """Return the shades of the cells of all forwards (F), defensemen (D) and goalies (G) in a season."""
    return split_cells(count_league_cells(scan_shots(root, season)).collect())


def split_cells(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the shades of the cells of all forwards (F), defensemen (D) and goalies (G)."""
    return {kind: shade_cells(rows.filter(pl.col("kind") == kind)) for kind in ("F", "D", GOALIE)}


def complete_games(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the games with the result and the score, and with what the games before add up to.

    Of skaters: columns at 5on5 (`even_…`) and rolling xG (`rolling_for`, `rolling_against`). Of goalies:
    `running_total`, the goals saved above expected of the season up to the game.
    """
    even = frames.pop("even_games").select("player_id", "game_id", pl.col(EVEN_COLUMNS).name.prefix("even_"))
    rates = {f"rolling_{side}": f"rolling_xg_{side}_per_60" for side in ("for", "against")}
    rolling = frames["rolling"].select("player_id", "game_id", **rates)
    skaters = frames["skater_games"]
    for other in (even, rolling):
        skaters = skaters.join(other, on=["player_id", "game_id"], how="left", maintain_order="left", validate="1:1")
    saved = pl.col("goals_saved_above_expected")
    total = pl.when(saved.is_not_null()).then(saved.cum_sum().over("player_id"))
    results = frames.pop("results")
    games = {"skater_games": skaters, "goalie_games": frames["goalie_games"].with_columns(running_total=total)}
    key = ["game_id", "team_id"]
    return {
        name: add_results(rows.join(results, on=key, how="left", maintain_order="left", validate="m:1"))
        for name, rows in games.items()
    }


def add_results(games: pl.DataFrame) -> pl.DataFrame:
    """Add `opponent` (@ TOR, TOR) and `score_text` (W 4–2, L 2–3 OT); the game's id if the score is unknown."""
    where = pl.when("is_home").then(pl.lit("")).otherwise(pl.lit("@ "))
    period = pl.col("last_period_type")
    beyond = pl.when(period == "REG").then(pl.lit("")).otherwise(pl.lit(" ") + period)
    letter = pl.col("result").replace("O", "L")
    score = pl.format("{} {}–{}{}", letter, "score", "opponent_score", beyond)
    return games.with_columns(
        opponent=where + pl.col("opponent_abbrev"), score_text=score.fill_null(pl.col("game_id").cast(pl.String))
    )


def name_rows(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return seasons, lines and pairs with what they are called; a row over several teams names none (`all`)."""
    found = {name: add_type_names(frames[name]) for name in COMBINATIONS}
    season = pl.col("season")
    name = pl.format("{}-{}", season // 10_000, (season % 100).cast(pl.String).str.zfill(2))
    has_several = pl.len().over("player_id", "season", "game_type") > 1
    team = pl.when(has_several & pl.col("is_total")).then(pl.lit("all")).otherwise("team_abbrev")
    for kind in ("skater_seasons", "goalie_seasons"):
        found[kind] = add_type_names(frames[kind]).with_columns(season_name=name, team=team)
    return found


def add_type_names(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `type_name`: regular season or playoffs."""
    return rows.with_columns(
        type_name=pl.col("game_type").replace_strict(TYPE_NAMES, default="", return_dtype=pl.String)
    )


def build_player(
    season: int,
    player_id: int,
    page: dict[str, Any] | None,
    own: Mapping[str, pl.DataFrame],
    league_cells: Mapping[str, pl.DataFrame],
) -> PlayerData:
    """Return the card of a player. If they have games as goalie and as skater, their own page decides."""
    has_both = not own["skater_games"].is_empty() and not own["goalie_games"].is_empty()
    is_goalie = page is not None and page["position"] == GOALIE if has_both else own["skater_games"].is_empty()
    kind, shots = ("goalie", "faced") if is_goalie else ("skater", "taken")
    seasons, games = own[f"{kind}_seasons"], own[f"{kind}_games"]
    position = GOALIE if is_goalie else next(iter(games["position"].drop_nulls().reverse()), None)
    group = str(position) if position in {GOALIE, "D"} else "F"
    return PlayerData(
        player=describe_person(player_id, page, seasons, games, position),
        season=season,
        is_goalie=is_goalie,
        total=find_total(seasons, f"gold.{kind}_season", player_id, season),
        seasons=seasons,
        games=games,
        shots=own[shots],
        cells=own[f"{shots}_cells"],
        league_cells=league_cells[group],
        rolling=own["rolling"],
        percentiles=own["percentiles"],
        lines=own["lines"],
        pairs=own["pairs"],
    )


def find_total(seasons: pl.DataFrame, table: str, player_id: int, season: int) -> dict[str, Any]:
    """Return the row of a season over all teams: of the regular season, or else of the playoffs."""
    own = [row for row in seasons.iter_rows(named=True) if row["season"] == season and row["is_total"]]
    if not own:
        raise LakeError(
            f"{table} has no row of player {player_id} in {format_season(season)}, who has games.",
            "If a run is writing, try again when it has ended; otherwise run `nhl-lake rebuild`.",
        )
    return min(own, key=lambda row: int(row["game_type"]))


def describe_person(
    player_id: int, page: dict[str, Any] | None, seasons: pl.DataFrame, games: pl.DataFrame, position: str | None
) -> dict[str, Any]:
    """Return who a player is: their own page, but position and team of their last game in the season."""
    known = page or dict.fromkeys(find_table("silver.players").schema)
    own_name = " ".join(name for name in (known["first_name"], known["last_name"]) if name)
    last = games.row(-1, named=True)
    return known | {
        "player_id": player_id,
        "player": own_name or seasons["player"].drop_nulls().first() or str(player_id),
        "position": position or known["position"],
        "team_id": last["team_id"],
        "team_abbrev": last["team_abbrev"],
    }
