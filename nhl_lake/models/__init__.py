"""Models that are fitted to gold tables, and their predictions."""
