"""Columns of goalies that tables of several pages have."""

from nhl_lake.reports.tables import TableColumn

SAVED_ABOVE_EXPECTED = TableColumn(
    "goals_saved_above_expected", "GSAx", "Goals saved above expected: xG against less goals against", "signed"
)
LIKELY_OWN = TableColumn(
    "shrunk_goals_saved_above_expected",
    "Likely own",
    "Goals saved above expected that are likely the goalie's own: shrunk",
    "signed",
)
SEASON_COLUMNS = (
    TableColumn("wins", "W", "Wins", "count"),
    TableColumn("losses", "L", "Losses", "count"),
    TableColumn("overtime_losses", "OTL", "Losses in overtime or the shootout", "count"),
    TableColumn("shots_against", "SA", "Shots against", "count"),
    TableColumn("save_share", "SV%", "Saves as a share of shots against", "share"),
    TableColumn("xg_against", "xGA", "Expected goals against", "two"),
)
