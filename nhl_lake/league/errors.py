"""What can go wrong with a simulated league: options that cannot be meant."""


class InvalidLeagueOption(ValueError):
    """An option of the league, or of the server, that cannot be meant."""
