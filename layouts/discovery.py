"""Finding what a package offers: one file, one export."""

import importlib
import pkgutil
from types import ModuleType
from typing import Protocol, TypeVar

__all__ = ["Named", "discover"]


class Named(Protocol):
    """Anything that is asked for by name."""

    @property
    def name(self) -> str:
        """The word by which it is asked for."""
        ...


N = TypeVar("N", bound=Named)


def discover(package: ModuleType, export: str, kind: type[N]) -> dict[str, N]:
    """Return what the modules of a package export, by name, in the order of names.

    Args:
        package: The package whose files are looked through; subpackages are not.
        export: Name of the attribute, e.g. `RIG`; modules without it are skipped.
        kind: What the attribute must be.

    Raises:
        TypeError: An export is of another kind, or two have the same name.
    """
    found: dict[str, N] = {}
    for module_name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        item = getattr(importlib.import_module(f"{package.__name__}.{module_name}"), export, None)
        if item is None:
            continue
        if not isinstance(item, kind) or item.name in found:
            raise TypeError(
                f"{package.__name__}.{module_name}.{export} must be a {kind.__name__} with a name of its own"
            )
        found[item.name] = item
    return dict(sorted(found.items()))
