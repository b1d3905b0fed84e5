"""Reports and the site: pages of games, players, teams, days and the league, as HTML without a server."""
