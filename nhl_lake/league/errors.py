"""Errors of the simulated league."""


class InvalidLeagueOption(ValueError):
    """An invalid option of the league or its server."""
