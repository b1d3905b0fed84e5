"""Rules of hockey and of the NHL, as pure functions."""
