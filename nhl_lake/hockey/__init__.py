"""Pure rules of the sport."""
