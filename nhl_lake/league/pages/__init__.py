"""The pages of the simulated league at a time, one module per kind of page."""
