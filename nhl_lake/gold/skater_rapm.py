"""Regularized adjusted plus-minus (RAPM): the effect of skaters on expected goals, apart from the others on the ice."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from nhl_lake.gold.measures import ridge, season_totals
from nhl_lake.gold.measures.shrinkage import INTERVAL_DEVIATIONS, INTERVAL_SHARE
from nhl_lake.gold.measures.situations import situation
from nhl_lake.gold.measures.stint_xg import MAX_LEAD, REGULAR_SEASON, sum_stint_xg
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

if TYPE_CHECKING:
    import numpy as np

    from nhl_lake.gold.measures.ridge import Effects, Floats, Integers

SIDES = {"home": "home_skater_player_ids", "away": "away_skater_player_ids"}


def skater_rapm(
    games: pl.LazyFrame, plays: pl.LazyFrame, stints: pl.LazyFrame, shots: pl.LazyFrame, skater_season: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per skater, season and situation (5on5, 5on4, 4on5) of the regular season, by games with shifts and xG.

    An effect is the xG per 60 minutes that a skater adds or takes away, compared with the average skater. It comes from
    a ridge regression of the xG of stints on all skaters on the ice, the score, home ice, zone starts, power plays that
    have just ended, and games on consecutive days. A season without shifts has no rows. See docs/explanation/models.md.
    """
    rows = sum_stint_xg(games, plays, stints, shots).collect()
    found = [
        fit_situation(of_season).with_columns(season=pl.lit(season, pl.Int32))
        for (season,), of_season in rows.group_by("season", maintain_order=True)
        for fit_situation in (fit_even_strength, fit_power_play)
    ]
    effects = pl.concat(found, how="diagonal").lazy() if found else pl.LazyFrame(schema=EFFECT_SCHEMA)
    about = skater_season.filter(pl.col("is_total"), pl.col("game_type") == REGULAR_SEASON).select(*KEY, *NAMES)
    return (
        effects.with_columns(game_type=pl.lit(REGULAR_SEASON, pl.Int16))
        .join(about, on=KEY, how="left", validate="1:1")
        .with_columns(pl.col(name).round(4) for name in EFFECT_NAMES)
        .select(column.name for column in COLUMNS)
    )


def fit_even_strength(stints: pl.DataFrame, spreads: Sequence[float] = ridge.SPREADS) -> pl.DataFrame:
    """Return the effects at 5on5 on xG for, xG against, and the difference.

    A regression with an effect on xG for and one on xG against for each skater is the same as two smaller ones: of both
    teams' xG on the sum of a skater's effects, and of the teams' difference on the difference of the effects.
    """
    import numpy as np  # noqa: PLC0415 - takes a tenth of a second, and only a rebuild needs it

    rows = stints.filter(pl.col("situation") == "5on5")
    if is_too_little(rows):
        return pl.DataFrame(schema=EFFECT_SCHEMA)
    (home, away), ids = number_players([rows[name] for name in SIDES.values()])
    hours, home_xg, away_xg = (rows[name].to_numpy() for name in ("hours", "home_xg", "away_xg"))
    lead, sides = rows["lead"].to_numpy(), np.hstack([home, away])
    leads = [np.abs(lead) == size for size in range(1, MAX_LEAD + 1)]
    ended, zone = rows["power_play_ended"].to_numpy(), rows["zone"].fill_null(0).to_numpy()
    home_tired, away_tired = rows["home_tired"].to_numpy(), rows["away_tired"].to_numpy()
    always = np.ones(rows.height)
    is_neutral = (rows["zone"] == 0).fill_null(value=False).to_numpy()
    both = stack(always, *leads, np.abs(zone), is_neutral, np.abs(ended), home_tired + away_tired)
    apart = stack(always, *(size * np.sign(lead) for size in leads), zone, ended, home_tired - away_tired)
    teammates = sum(ridge.count_shared_time(side, side, hours, len(ids)) for side in (home, away))
    opponents = ridge.count_shared_time(home, away, hours, len(ids))
    opponents = opponents + opponents.T
    plus, minus = np.ones(10), np.repeat([1.0, -1.0], 5)
    pace = ridge.fit_ridge(
        ridge.sum_stints(teammates + opponents, sides, plus, hours, home_xg + away_xg, both), spreads
    )
    net = ridge.fit_ridge(
        ridge.sum_stints(teammates - opponents, sides, minus, hours, home_xg - away_xg, apart), spreads
    )
    half = (pace.variance + net.variance) / 4
    return make_rows("5on5", ids, np.diag(teammates), {
        FOR: ridge.Effects((pace.mean + net.mean) / 2, half),
        AGAINST: ridge.Effects((pace.mean - net.mean) / 2, half),
        NET: net,
    })  # fmt: skip


def fit_power_play(stints: pl.DataFrame) -> pl.DataFrame:
    """Return the effects on the xG of teams on the power play: 5on4 of their skaters, 4on5 of the opponent's."""
    import numpy as np  # noqa: PLC0415

    rows = stints.filter(pl.col("situation") != "5on5")
    if is_too_little(rows):
        return pl.DataFrame(schema=EFFECT_SCHEMA)
    is_home = pl.col("situation") == "5on4"
    own = rows.select(
        "hours",
        *(pl.when(is_home).then(f"home_{name}").otherwise(f"away_{name}").alias(name) for name in ROLE_COLUMNS),
        opponents=pl.when(is_home).then(SIDES["away"]).otherwise(SIDES["home"]),
        opponent_tired=pl.when(is_home).then("away_tired").otherwise("home_tired"),
        lead=pl.when(is_home).then("lead").otherwise(-pl.col("lead")),
        zone=pl.when(is_home).then("zone").otherwise(-pl.col("zone")),
        is_home=is_home,
    )
    (attackers,), own_ids = number_players([own["skater_player_ids"]])
    (defenders,), other_ids = number_players([own["opponents"]])
    players, hours = len(own_ids) + len(other_ids), own["hours"].to_numpy()
    defenders = defenders + len(own_ids)
    lead, zone = own["lead"].to_numpy(), own["zone"].fill_null(0).to_numpy()
    covariates = stack(
        np.ones(own.height),
        own["is_home"].to_numpy(),
        *(lead == value for value in range(-MAX_LEAD, MAX_LEAD + 1) if value),
        *(zone == value for value in (-1, 1)),
        (own["zone"] == 0).fill_null(value=False).to_numpy(),
        own["tired"].to_numpy(),
        own["opponent_tired"].to_numpy(),
    )
    shared = ridge.count_shared_time(attackers, defenders, hours, players)
    alone = [ridge.count_shared_time(side, side, hours, players) for side in (attackers, defenders)]
    time, sides = shared + shared.T + alone[0] + alone[1], np.hstack([attackers, defenders])
    totals = ridge.sum_stints(time, sides, np.ones(9), hours, own["xg"].to_numpy(), covariates)
    effects, on_ice, middle = ridge.fit_ridge(totals), np.diag(time), len(own_ids)
    first, second = (
        ridge.Effects(*(part[where] for part in effects)) for where in (slice(middle), slice(middle, None))
    )
    return pl.concat(
        [
            make_rows("5on4", own_ids, on_ice[:middle], {FOR: first}),
            make_rows("4on5", other_ids, on_ice[middle:], {AGAINST: second}),
        ],
        how="diagonal",
    )


def is_too_little(rows: pl.DataFrame) -> bool:
    """Whether stints are too few to tell how much of their xG is chance."""
    return rows.height < MIN_STINTS or rows.select((pl.col("home_xg") + pl.col("away_xg")).sum()).item() == 0


def number_players(lists: list[pl.Series]) -> "tuple[list[Integers], Integers]":
    """Return lists of players as matrices of numbers, and the ids of the numbers."""
    import numpy as np  # noqa: PLC0415

    matrices = [ids.list.to_array(int(ids.list.len()[0])).to_numpy() for ids in lists]
    known = np.unique(np.concatenate([matrix.ravel() for matrix in matrices]))
    return [np.searchsorted(known, matrix) for matrix in matrices], known


def stack(*columns: "np.ndarray[Any, Any]") -> "Floats":
    """Return columns as a matrix of numbers."""
    import numpy as np  # noqa: PLC0415

    return np.column_stack(columns).astype(np.float64)


def make_rows(name: str, ids: "Integers", hours: "Floats", effects: "dict[str, Effects]") -> pl.DataFrame:
    """Return the effects of a situation as rows, with intervals."""
    columns: dict[str, Any] = {"player_id": ids, "time_on_ice_s": (hours * 3600).round().astype(int)}
    for effect, found in effects.items():
        half = INTERVAL_DEVIATIONS * found.variance**0.5
        columns |= {effect: found.mean, f"{effect}_low": found.mean - half, f"{effect}_high": found.mean + half}
    schema = {column: EFFECT_SCHEMA[column] for column in columns}
    return pl.DataFrame(columns, schema_overrides=schema).with_columns(situation=pl.lit(name))


MIN_STINTS = 100  # less than half a game
KEY = ("season", "game_type", "player_id", "situation")
NAMES = ("player", "team_abbrev", "position", "games", "games_with_shifts")
ROLE_COLUMNS = ("skater_player_ids", "xg", "tired")
FOR, AGAINST, NET = "rapm_xg_for_per_60", "rapm_xg_against_per_60", "rapm_xg_per_60"
TEXTS = {
    FOR: "Effect on the team's xG per 60 minutes; null at 4on5",
    AGAINST: "Effect on the opponent's xG per 60 minutes: less is better; null at 5on4",
    NET: "Effect on the team's xG minus the opponent's, per 60 minutes; only at 5on5",
}
EFFECT_NAMES = tuple(f"{name}{end}" for name in TEXTS for end in ("", "_low", "_high"))
EFFECT_SCHEMA = {
    "season": pl.Int32, "player_id": pl.Int64, "situation": pl.String, "time_on_ice_s": pl.Int32,
    **dict.fromkeys(EFFECT_NAMES, pl.Float64),
}  # fmt: skip


def declare_effect(name: str, text: str) -> tuple[Column, ...]:
    """Declare an effect and its interval."""
    ends = {"low": "Lower", "high": "Upper"}
    return (
        Column(name, pl.Float64, text, nullable=True),
        *(
            Column(
                f"{name}_{end}", pl.Float64, f"{word} end of the {INTERVAL_SHARE} interval of `{name}`", nullable=True
            )
            for end, word in ends.items()
        ),
    )


def is_within(name: str) -> pl.Expr:
    """Whether an effect is within its interval, or unknown."""
    inside = (pl.col(f"{name}_low") <= pl.col(name)) & (pl.col(name) <= pl.col(f"{name}_high"))
    return pl.col(name).is_null() | inside


COLUMNS = (
    c.season,
    c.game_type,
    c.player_id,
    season_totals.player,
    replace(c.team_abbrev, description="Three-letter code of the skater's last team of the season", nullable=True),
    season_totals.position,
    replace(situation, values=("5on5", "5on4", "4on5")),
    replace(season_totals.games, nullable=True),
    replace(season_totals.games_with_shifts, nullable=True),
    replace(c.time_on_ice_s, description="Time on ice in the stints of the regression", nullable=False),
    *(column for name, text in TEXTS.items() for column in declare_effect(name, text)),
)

SKATER_RAPM = Table(
    name="gold.skater_rapm",
    grain="one skater in a regular season and situation: 5on5, 5on4 or 4on5",
    key=KEY,
    columns=COLUMNS,
    inputs=(GAMES, PLAYS, STINTS, SHOTS, SKATER_SEASON),
    source=skater_rapm,
    checks={
        "an effect is within its interval": pl.all_horizontal(is_within(name) for name in TEXTS),
        "only 5on5 has a difference": (pl.col("situation") == "5on5") == pl.col(NET).is_not_null(),
    },
)
