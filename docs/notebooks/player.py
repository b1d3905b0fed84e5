"""A player and the league in charts: `marimo edit docs/notebooks/player.py`, or `marimo run` to look only."""

import marimo

app = marimo.App()


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # A player in charts

    Choose a skater: percentiles among players at the same position, shots of the season, and rolling expected goals.

    Make a lake first, with `make demo` (a sample league) or `nhl-lake ingest` (the NHL). `open_lake()` opens the one
    that the setting `NHL_LAKE_ROOT` names. Charts need Altair: `pip install 'nhl-lake[plot]'`.
    """)


@app.cell
def _():
    import marimo as mo

    import nhl_lake
    from nhl_lake import plot

    lake = nhl_lake.open_lake()
    lake
    return lake, mo, plot


@app.cell
def _(lake, mo):
    leaders = lake.sql("""
        select player_id, player, team_abbrev, goals, xg
        from gold.skater_season
        where is_total and situation = 'all' and game_type = 2
          and season = (select max(season) from gold.skater_season where game_type = 2)
        order by goals desc, player_id
        limit 30
    """)
    names = {f"{player}, {team}": number for number, player, team, *_ in leaders.iter_rows()}
    choice = mo.ui.dropdown(names, value=next(iter(names)), label="Skater")
    choice
    return choice, leaders


@app.cell
def _(choice, lake, plot):
    card = plot.percentiles(lake, choice.value)
    card
    return (card,)


@app.cell
def _(choice, lake, plot):
    shots = plot.shots(lake, player=choice.value)
    shots
    return (shots,)


@app.cell
def _(choice, lake, plot):
    rolling = plot.rolling(lake, player=choice.value)
    rolling
    return (rolling,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Can the numbers be trusted?

    If the model of expected goals is right, the dots lie on the line: of attempts with 10% xG, one in ten is a goal.
    """)


@app.cell
def _(lake, plot):
    trust = plot.calibration(lake)
    trust
    return (trust,)


@app.cell
def _(leaders):
    leaders


if __name__ == "__main__":
    app.run()
