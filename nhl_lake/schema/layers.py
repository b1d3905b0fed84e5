"""The files of a layer: silver and gold have a file for each table, with its name."""

from pkgutil import iter_modules
from types import ModuleType


def list_layer_files(layer: ModuleType) -> list[str]:
    """Return the names of the files of silver or gold, which are those of their tables. Loads none of them."""
    return [module.name for module in iter_modules(layer.__path__) if not module.ispkg]
