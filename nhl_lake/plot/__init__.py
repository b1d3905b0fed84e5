"""Charts for notebooks, by Altair: `pip install 'nhl-lake[plot]'`.

import nhl_lake
from nhl_lake import plot
plot.shots(nhl_lake.open_lake(), game=2025021214)

Each function takes a lake, or a frame with the columns that it names, and returns an Altair chart, which a notebook
shows and `.save("chart.png")` writes. The rink and the colors are those of the pages; `dark=True` is for a dark one.

Jupyter loads the program that draws (Vega) from the network; `altair.renderers.enable("svg")` draws without it.
"""

from nhl_lake.plot.games import game_flow, matchups, shifts
from nhl_lake.plot.seasons import calibration, percentiles, rolling
from nhl_lake.plot.shot_maps import shots

__all__ = ["calibration", "game_flow", "matchups", "percentiles", "rolling", "shifts", "shots"]
