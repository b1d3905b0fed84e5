"""Pages of the NHL's API: how each is declared, requested and validated."""
