"""Queries of a lake: SQL, exports, status, and summaries of games, players, teams and upcoming days."""
