"""How many examples a slow property test tries: a share of what the chosen profile of Hypothesis tries."""

from hypothesis import settings


def try_examples(count: int) -> settings:
    """Return settings that try so many examples in the suite, a fifth in `make unit`, ten times as many in a soak."""
    return settings(max_examples=max(2, count * settings().max_examples // 100))
