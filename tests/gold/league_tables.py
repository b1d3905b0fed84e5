"""Silver tables of some games of simulated leagues, and gold tables built from them."""

from functools import cache
from json import loads
from typing import Any

import polars as pl

from nhl_lake.gold import xg_model
from nhl_lake.gold.measures.expected_goals import XgModel
from nhl_lake.gold.measures.trees import Tree
from nhl_lake.gold.shots import SHOTS
from nhl_lake.league import League
from nhl_lake.schema import checks
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS
from tests.league.league_pages import AFTER_SEASONS, SEASONS
from tests.silver import builders
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages, make_schedule_row

SEEDS = (1, 2, 3)
NO_SHOTS = pl.LazyFrame(schema=SHOTS.schema)
Silver = dict[str, pl.DataFrame]


def build_silver(
    pages: list[dict[str, Any]], charts: pl.LazyFrame = NO_PAGES, boxes: pl.LazyFrame = NO_PAGES
) -> Silver:
    """Build silver tables from play-by-play pages, shift charts and box scores."""
    play_by_play = make_pages(*pages)
    found: Silver = {"games": builders.make_frame(GAMES, [make_schedule_row(page) for page in pages]).collect()}
    inputs = {
        LINEUPS: [play_by_play, boxes, NO_PAGES],
        SKATER_GAMES: [boxes],
        GOALIE_GAMES: [boxes],
        LISTED_SHIFTS: [charts, NO_PAGES, NO_PAGES, "lineups", "games", "skater_games", "goalie_games"],
        SHIFTS: ["listed_shifts", "lineups"],
        PLAYS: [play_by_play, "shifts", "lineups", "goalie_games"],
        STINTS: ["shifts", "lineups", "games"],
        ON_ICE: ["plays", "shifts", "lineups"],
    }
    for table, reads in inputs.items():
        frames = [found[read].lazy() if isinstance(read, str) else read for read in reads]
        found[table.name.split(".")[1]] = build_table(table, *frames)
    return found


@cache
def build_league_silver(seed: int) -> Silver:
    """Return silver of some games of a league: the first of both seasons, overtimes, a shootout and playoffs."""
    league = League(seed=seed, seasons=SEASONS)
    engine = league.engine
    regular = [game.game_id for season in SEASONS for game in engine.schedule(season)[200:260] if game.is_played]
    regular = [game for game in regular if game // 10_000 % 100 == 2]
    late = [game for game in regular if engine.get_outcome(game).last_period_type != "REG"]
    playoffs = [game.game_id for game in engine.playoffs(SEASONS[0])[:2]]
    games = sorted({*regular[:4], *regular[-2:], *late[:4], *playoffs})
    ask = {
        "play-by-play": "/v1/gamecenter/{}/play-by-play",
        "chart": "/stats/rest/en/shiftcharts?cayenneExp=gameId={}",
        "boxscore": "/v1/gamecenter/{}/boxscore",
    }
    bodies = {
        kind: {game: league.answer(path.format(game), AFTER_SEASONS).body.decode() for game in games}
        for kind, path in ask.items()
    }
    pages, boxes = ([loads(body) for body in bodies[kind].values()] for kind in ("play-by-play", "boxscore"))
    charts = pl.concat(builders.make_page(body, game) for game, body in bodies["chart"].items())
    charts = charts.with_columns(season=pl.col("game_id") // 1_000_000 * 10_001 + 1).cast({"season": pl.Int32})
    return build_silver(pages, charts, make_pages(*boxes))


def make_model() -> pl.LazyFrame:
    """Return the model of xG that ships with the package."""
    row = xg_model.make_row(xg_model.read_shipped_model("NHL"))
    return pl.LazyFrame([row], schema=xg_model.XG_MODEL.schema)


def make_small_model() -> pl.LazyFrame:
    """Return a model of one tree: a real one takes longer to read than everything else in a game of a few shots."""
    tree = Tree((0, -1, -1), (30.0, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (False, False, False), (0.0, 0.5, -0.5))
    model = XgModel(
        name="xg of one tree", rows=1, trained_through={}, features=("distance_ft",), intercept=-2.5, trees=(tree,),
        empty_net=(0.0, 0.0, 0.0, 0.0), penalty_shot=0.3,
    )  # fmt: skip
    return pl.LazyFrame([xg_model.make_row(model)], schema=xg_model.XG_MODEL.schema)


def build_gold(table: Table, found: Silver, **others: pl.DataFrame) -> pl.DataFrame:
    """Build a gold table, and the shots that it reads, and validate its rows."""
    every = found | others
    if SHOTS in table.inputs and "shots" not in every:
        every["shots"] = build_table(
            SHOTS, *(every[name].lazy() for name in ("plays", "lineups", "games")), make_small_model()
        )
    rows = build_table(table, *(every[read.name.split(".")[1]].lazy() for read in table.inputs))
    checks.validate_rows(table, rows)
    return rows
