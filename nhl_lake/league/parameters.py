"""The rates behind the simulated league, on one page.

Unless a line says otherwise a figure was measured over the 1,312 regular-season games of 2023-24 (facts carry over; no
game was fitted). "Per 60" is per 60 minutes of play in that state; "per game" counts both teams. Some figures were
solved for, so that a simulated season has the recorded mean: those lines say so.
"""

from __future__ import annotations

from typing import Final

GOALS_PER_60: Final[dict[tuple[int, int], float]] = {
    # (own skaters, theirs) -> goals per 60 with a goalie in the other net; recorded: 2.47 at 5v5, 8.2 at 5v4, 6.65 at
    # 3v3, 20 to 26 at 5v3; solved for the goals of a game and the share of shootouts
    (5, 5): 2.52, (5, 4): 7.3, (4, 5): 1.12, (4, 4): 4.1, (3, 3): 7.7, (5, 3): 21.0, (3, 5): 0.2, (4, 3): 17.0,
    (3, 4): 0.4, (6, 5): 6.0, (6, 4): 13.0, (6, 3): 20.0, (5, 6): 0.0, (4, 6): 0.0,
}  # fmt: skip
EMPTY_NET_GOALS_PER_60: Final = 16.0  # 13.5 to 14.4 recorded; by the team that still has its goalie
DELAYED_GOALS_PER_60: Final = 14.0  # from the raised arm to the whistle, by the team with the puck: 0.09 a game
HOME_GOALS: Final = 1.035
PERIOD_GOALS: Final = {1: 0.92, 2: 1.07, 3: 1.0}
# both teams, tied in the last eight minutes; solved for: 20.7 % of games go on after 60 minutes
LATE_TIED_GOALS: Final = 0.60
PLAYOFF_GOALS: Final = 0.95
ASSIST_COUNTS: Final = ((2, 0.757), (1, 0.178), (0, 0.065))
GOAL_BY_D: Final = 0.29  # a defenseman's weight beside a forward's 1.0 on the ice
ASSIST_BY_D: Final = 0.61
ASSIST_BY_G: Final = 0.012
PENALTY_SHOT_GOAL: Final = 0.318

PULL_SECONDS_LEFT: Final = {  # trailing by -> (share of games, deciles of the seconds left when the goalie leaves)
    1: (0.98, (60, 78, 90, 100, 110, 121, 135, 155, 200)),
    2: (0.92, (90, 121, 140, 156, 172, 185, 208, 231, 280)),
    3: (0.45, (139, 167, 208, 241, 267, 308, 351, 440, 480)),
}
# chance of a new goalie at the n-th goal against; solved for 2.13 goalies a game
GOALIE_CHANGE_CHANCE: Final = {3: 0.03, 4: 0.08, 5: 0.12, 6: 0.14}

SHOOTOUT_OUTCOMES: Final = (
    ("goal", 0.295),
    ("shot-on-goal", 0.512),
    ("missed-shot", 0.176),
    ("failed-shot-attempt", 0.017),
)

PENALTY_WHISTLES_PER_60: Final = 7.05  # whistles with at least one penalty, both teams
PERIOD_PENALTIES: Final = {1: 0.92, 2: 1.14, 3: 0.97}
OVERTIME_PENALTIES: Final = 0.55
UNEVEN_PENALTIES: Final = 0.5  # while one team is short; solved for the seconds at 5v3 and 4v4, as is the next line
SHORT_TEAM_PENALTIES: Final = 0.5  # of those, by the team that is short already
HOME_PENALTIES: Final = 0.96
INCIDENTS: Final = (  # whistles per game
    ("minor", 5.48), ("coincidental", 0.22), ("bench", 0.215), ("fight", 0.178), ("two-for-one", 0.086),
    ("double-minor", 0.078), ("penalty-shot", 0.037), ("fight-and-minor", 0.055), ("two-each", 0.022),
    ("two-minors", 0.020),
    ("misconduct", 0.055), ("minor-and-misconduct", 0.03), ("match", 0.012), ("major", 0.03),
)  # fmt: skip
MINORS: Final = (
    ("tripping", 1.415), ("hooking", 0.846), ("roughing", 0.62), ("holding", 0.665), ("interference", 0.625),
    ("slashing", 0.575), ("high-sticking", 0.541), ("cross-checking", 0.358), ("delaying-game-puck-over-glass", 0.213),
    ("boarding", 0.1), ("holding-the-stick", 0.079), ("interference-goalkeeper", 0.062),
    ("unsportsmanlike-conduct", 0.05),
    ("elbowing", 0.029), ("embellishment", 0.01), ("illegal-check-to-head", 0.016), ("kneeing", 0.01),
    ("delaying-game", 0.008),
    ("closing-hand-on-puck", 0.006), ("charging", 0.005), ("abuse-of-officials", 0.005),
)  # fmt: skip
SCRUM_MINORS: Final = (
    ("roughing", 0.62), ("unsportsmanlike-conduct", 0.1), ("slashing", 0.08), ("cross-checking", 0.08),
    ("embellishment", 0.06), ("tripping", 0.03), ("hooking", 0.03),
)  # fmt: skip
BENCH_MINORS: Final = (
    ("too-many-men-on-the-ice", 0.161), ("delaying-game-unsuccessful-challenge", 0.05),
    ("unsportsmanlike-conduct-bench", 0.007),
)  # fmt: skip
MAJORS: Final = (
    ("boarding", 0.009), ("elbowing", 0.005), ("cross-checking", 0.004), ("kneeing", 0.002), ("spearing", 0.002),
)  # fmt: skip
PENALTY_SHOTS: Final = (
    ("ps-hooking-on-breakaway", 0.014), ("ps-holding-on-breakaway", 0.006), ("ps-tripping-on-breakaway", 0.005),
    ("ps-covering-puck-in-crease", 0.005), ("ps-slash-on-breakaway", 0.004),
)  # fmt: skip
PENALTIES_NOT_DRAWN: Final = frozenset(
    {"delaying-game-puck-over-glass", "delaying-game", "closing-hand-on-puck", "abuse-of-officials"}
)
GOALIE_MINORS: Final = 0.0065  # share of minors that a goalie takes and a skater serves
DELAYED_PENALTY_SHARE: Final = 0.5  # share of penalties to one team that are called with a delay: 2.57 a game
DELAYED_PENALTY_SECONDS: Final = (1, 1, 2, 2, 3, 4, 5, 7, 12, 23, 45)  # deciles
EXTRA_ATTACKER_AFTER: Final = 3  # seconds that the goalie needs to the bench

STOPPAGES_PER_60: Final = 44.2  # besides goals, penalties and ends of periods
STOPPAGES: Final = (  # per game
    ("goalie-stopped-after-sog", 15.70), ("icing", 8.24), ("puck-in-netting", 5.19), ("offside", 4.32),
    ("puck-frozen", 2.0),
    ("puck-in-benches", 1.92), ("puck-in-crowd", 1.84), ("referee-or-linesman", 0.76), ("hand-pass", 0.65),
    ("high-stick", 0.57),
    ("skater-puck-frozen", 0.10), ("net-dislodged-offensive-skater", 0.09), ("net-dislodged-defensive-skater", 0.07),
    ("player-injury", 0.07), ("goalie-puck-frozen-played-from-beyond-center", 0.07), ("home-timeout", 0.11),
    ("visitor-timeout", 0.13),
    ("puck-in-penalty-benches", 0.05), ("player-equipment", 0.05), ("video-review", 0.06), ("objects-on-ice", 0.03),
    ("rink-repair", 0.03), ("ice-problem", 0.02), ("net-dislodged-by-goaltender", 0.014), ("clock-problem", 0.01),
    ("chlg-vis-off-side", 0.02), ("chlg-hm-off-side", 0.02),
)  # fmt: skip
TV_TIMEOUTS: Final = (360, 600, 840)  # the first whistle after these seconds of a period

SHOTS_PER_60: Final[dict[tuple[int, int], tuple[float, float, float]]] = {
    # (own skaters, theirs) -> saved, missed, blocked
    (5, 5): (26.0, 12.9, 16.75), (5, 4): (52.5, 26.1, 31.9), (4, 5): (10.8, 3.05, 1.93), (4, 4): (30.0, 13.2, 14.2),
    (3, 3): (28.1, 12.0, 8.97), (5, 3): (97.0, 57.0, 46.6), (3, 5): (4.4, 0.9, 0.0), (4, 3): (75.0, 40.0, 36.6),
    (3, 4): (7.5, 0.5, 0.3), (6, 5): (45.8, 25.4, 39.6), (6, 4): (82.0, 35.0, 60.0), (6, 3): (100.0, 50.0, 60.0),
}  # fmt: skip
EMPTY_NET_PER_60: Final = (0.0, 10.1, 5.4)
DELAYED_PER_60: Final = (40.0, 30.0, 40.0)
SHOT_SCALE: Final = 1.06
SAVES_WITHOUT_FREEZE: Final = (
    0.68  # share of saved shots after which play goes on or stops for another reason; the rest are held
)
RUSH_CHANCE: Final = 0.05  # chance that an attempt follows within four seconds of play in another zone
SCORE_SHOTS: Final = {-3: 1.07, -2: 1.09, -1: 1.07, 0: 1.01, 1: 0.945, 2: 0.91, 3: 0.83}  # own lead at five on five
HOME_SHOTS: Final = 1.025
FATIGUE: Final = 0.004  # more attempts per second that the other five have been out beyond 25
# per 60 for both teams at even strength, per 60 with uneven sides, and the home scorer's share
NON_SHOT_RATES: Final = {
    "hit": ({(5, 5): 53.0, (4, 4): 25.3, (3, 3): 10.4}, 16.5, 0.509),
    "giveaway": ({(5, 5): 15.8, (4, 4): 15.2, (3, 3): 9.3}, 13.5, 0.587),
    "takeaway": ({(5, 5): 14.4, (4, 4): 18.2, (3, 3): 15.4}, 12.6, 0.553),
}
NON_REBOUND_FACTOR: Final = (
    1.045  # the distances below hold rebounds, which come from nearer; all other shots from this much farther
)
REBOUND_SHARE: Final = (
    0.075  # share of unblocked attempts followed by another of the same team within three seconds, on purpose
)

D_WEIGHTS: Final = {  # a defenseman's weight beside a forward's 1.0 on the ice
    "shot-on-goal": 0.70, "missed-shot": 0.72, "blocked-shot": 1.25, "block": 1.94, "hit": 0.84, "giveaway": 1.03,
    "takeaway": 0.556,
    "penalty": 0.93, "drawn": 0.35, "close": 0.2,
}  # fmt: skip
GIVEAWAY_BY_G: Final = 0.05
TEAMMATE_BLOCK_SHARE: Final = 0.0754  # share of blocks

MISS_REASONS: Final = (
    ("wide-left", 10.27), ("wide-right", 9.96), ("above-crossbar", 2.02), ("high-and-wide-right", 1.29),
    ("high-and-wide-left", 1.07),
    ("hit-right-post", 0.69), ("short", 0.66), ("hit-left-post", 0.62), ("hit-crossbar", 0.39),
)  # fmt: skip
SHOT_TYPES: Final = {  # saved and missed shots per game
    "F": (
        ("wrist", 32.19), ("snap", 7.81), ("tip-in", 6.48), ("backhand", 5.05), ("slap", 4.22), ("deflected", 1.54),
        ("wrap-around", 0.6), ("bat", 0.28), ("poke", 0.25), ("between-legs", 0.05),
    ),
    "D": (("wrist", 13.35), ("slap", 5.61), ("snap", 2.93), ("backhand", 0.57), ("tip-in", 0.3), ("deflected", 0.14)),
}  # fmt: skip
GOAL_TYPES: Final = {
    "F": (
        ("wrist", 2.45), ("snap", 0.95), ("tip-in", 0.62), ("backhand", 0.49), ("slap", 0.31), ("deflected", 0.11),
        ("wrap-around", 0.05), ("bat", 0.05), ("poke", 0.03),
    ),
    "D": (("wrist", 0.39), ("slap", 0.22), ("snap", 0.14), ("backhand", 0.05), ("tip-in", 0.02)),
}  # fmt: skip

SHOT_DISTANCE: Final[dict[tuple[str, str], tuple[int, ...]]] = {
    ("F", "wrist"): (2, 10, 15, 21, 26, 31, 35, 39, 45, 55, 110),
    ("D", "wrist"): (3, 26, 35, 41, 46, 52, 56, 59, 63, 70, 120),
    ("F", "snap"): (3, 12, 17, 22, 26, 30, 33, 37, 41, 48, 75),
    ("D", "snap"): (4, 25, 33, 39, 45, 50, 54, 57, 61, 66, 110),
    ("F", "slap"): (3, 26, 31, 34, 37, 39, 41, 44, 49, 56, 90),
    ("D", "slap"): (6, 40, 45, 49, 52, 55, 57, 59, 61, 65, 100),
    ("F", "tip-in"): (1, 7, 9, 10, 11, 13, 15, 17, 21, 27, 60),
    ("D", "tip-in"): (4, 7, 9, 10, 11, 14, 17, 20, 33, 50, 65),
    ("F", "backhand"): (2, 7, 8, 9, 11, 14, 16, 21, 26, 40, 85),
    ("D", "backhand"): (4, 8, 10, 13, 16, 21, 26, 32, 41, 64, 110),
    ("F", "deflected"): (3, 7, 8, 9, 10, 12, 15, 17, 22, 30, 70),
    ("D", "deflected"): (6, 8, 9, 11, 12, 14, 18, 44, 58, 65, 80),
    ("F", "wrap-around"): (2, 4, 5, 5, 6, 6, 6, 7, 7, 8, 10), ("F", "bat"): (2, 6, 7, 7, 8, 10, 12, 15, 19, 23, 50),
    ("F", "poke"): (2, 5, 6, 7, 7, 8, 9, 11, 17, 27, 60), ("F", "between-legs"): (4, 6, 7, 8, 8, 9, 10, 10, 12, 16, 25),
}  # fmt: skip
GOAL_DISTANCE: Final[dict[tuple[str, str], tuple[int, ...]]] = {
    ("F", "wrist"): (2, 6, 8, 10, 12, 16, 20, 24, 28, 35, 52),
    ("D", "wrist"): (5, 9, 16, 21, 27, 31, 35, 40, 45, 56, 68),
    ("F", "snap"): (2, 9, 11, 14, 18, 21, 24, 27, 30, 35, 54),
    ("D", "snap"): (4, 16, 19, 24, 26, 28, 30, 38, 42, 49, 64),
    ("F", "slap"): (5, 15, 20, 24, 28, 30, 32, 37, 39, 43, 59),
    ("D", "slap"): (18, 32, 39, 41, 44, 46, 51, 54, 57, 60, 67),
    ("F", "tip-in"): (2, 6, 8, 8, 9, 10, 11, 12, 15, 19, 39), ("F", "backhand"): (1, 5, 6, 7, 8, 9, 10, 10, 13, 16, 27),
    ("D", "backhand"): (4, 7, 7, 8, 9, 10, 12, 15, 20, 25, 28),
    ("F", "deflected"): (2, 5, 7, 8, 8, 9, 10, 11, 14, 21, 43),
    ("F", "wrap-around"): (2, 3, 4, 4, 4, 5, 5, 6, 7, 8, 8), ("F", "bat"): (1, 2, 4, 5, 6, 7, 8, 8, 9, 10, 12),
}  # fmt: skip
EMPTY_NET_GOAL_DISTANCE: Final = (3, 14, 24, 36, 48, 63, 77, 107, 133, 159, 180)
EMPTY_NET_MISS_DISTANCE: Final = (8, 33, 45, 56, 73, 94, 116, 133, 148, 170, 180)
SHOT_ANGLE: Final = {
    "near": (0, 6, 13, 20, 27, 37, 45, 55, 66, 79, 120), "F": (0, 7, 16, 23, 29, 34, 39, 45, 52, 63, 90),
    "D": (0, 6, 12, 18, 23, 28, 32, 36, 42, 52, 80),
}  # fmt: skip
HIT_X, HIT_Y = (0, 19, 37, 51, 64, 78, 87, 93, 96, 98, 99), (0, 10, 17, 25, 31, 35, 38, 39, 40, 41, 42)
GIVEAWAY_X, GIVEAWAY_Y = (0, 21, 33, 39, 47, 55, 64, 76, 89, 96, 99), (0, 4, 10, 16, 22, 27, 32, 35, 37, 39, 41)
TAKEAWAY_X, TAKEAWAY_Y = (0, 13, 24, 33, 38, 46, 55, 66, 80, 94, 99), (0, 4, 10, 15, 20, 25, 30, 34, 37, 39, 42)
BLOCK_X, BLOCK_Y = (20, 48, 56, 62, 66, 70, 73, 76, 78, 81, 88), (0, 2, 3, 5, 7, 9, 12, 15, 19, 25, 37)
PENALTY_X, PENALTY_Y = (0, 13, 27, 41, 55, 67, 75, 81, 87, 94, 99), (0, 2, 5, 10, 16, 22, 27, 33, 38, 40, 42)
OWN_ZONE: Final = {  # share on the actor's half of the ice
    "hit": 0.52, "giveaway": 0.61, "takeaway": 0.56, "penalty": 0.55,
}  # fmt: skip

# Shift length: 44 s forwards, 47 s defensemen (mean of 51 whole shift charts of the playoffs of 2023 and 2025), deciles
# 20 28 34 38 43 47 52 58 69 and 21 30 35 40 44 49 54 62 74. Ice time by rank: 40 box scores of 2021 to 2026.

SHIFT_F: Final = (54.0, 12.0)  # seconds until the bench calls a line off at even strength: mean, standard deviation
SHIFT_D: Final = (62.0, 14.0)
SHIFT_PP: Final = (62.0, 14.0)
SHIFT_PK: Final = (42.0, 8.0)
LINE_SHARES: Final = (0.29, 0.27, 0.24, 0.20)
PAIR_SHARES: Final = (0.37, 0.34, 0.29)
PP_SHARES: Final = (0.60, 0.40)
LINE_CHANGE_SECONDS: Final = 5  # seconds within which a line gets off
