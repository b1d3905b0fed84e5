"""What was known of players and teams before a game."""
