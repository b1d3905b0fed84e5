"""Questions that users ask of a lake: SQL, exports, and what is known of a game, a player, a team, the days to come."""
