"""Import scikit-learn, which fits the models, when it is needed."""

from importlib import import_module
from typing import Any

from nhl_lake.errors import LakeError


def import_scikit_learn(module: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Return a module of scikit-learn. It is an extra because it is as large as all other dependencies."""
    try:
        return import_module(f"sklearn.{module}")
    except ModuleNotFoundError as error:
        raise LakeError(
            "Models are fitted by scikit-learn, which is not installed.", "Run `pip install 'nhl-lake[predict]'`."
        ) from error
