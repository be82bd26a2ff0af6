"""Body kinds that Newton simulates: one module a kind, named after it, discovered."""

import importlib
import pkgutil
from typing import Any

from simfactory.simulators.newton.fitting import NodeBody
from simfactory.spec import Body

__all__ = ["add_body", "body_kinds", "node_body"]


def body_kinds() -> tuple[str, ...]:
    """Return the body kinds in this folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def add_body(builder: Any, body: Body) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a body to the builder's current world and return Newton's index of it, -1 if it never moves."""
    return int(importlib.import_module(f"{__name__}.{body.kind}").add(builder, body))


def node_body(body: Body) -> NodeBody:
    """Return what a body that is made of nodes consists of, at rest.

    Raises:
        AssetError: Its shape cannot be meshed.
    """
    made: NodeBody = importlib.import_module(f"{__name__}.{body.kind}").node_body(body)
    return made
