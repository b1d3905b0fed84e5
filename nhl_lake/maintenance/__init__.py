"""Look after a lake: compact, check, repair, upgrade."""
