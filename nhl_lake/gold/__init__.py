"""Gold: statistics of skaters, goalies, teams, lines and pairs, and features and predictions of shots on goal."""
