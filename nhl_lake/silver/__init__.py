"""Silver: clean tables of games, events, shifts, players and teams."""
