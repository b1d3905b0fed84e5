"""Features: what was known about players and teams before a game."""
