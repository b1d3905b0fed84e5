"""The pages of the simulated league, one module per kind: what the API would answer at a moment."""
