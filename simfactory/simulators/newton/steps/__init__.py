"""Solver families: one module a family, discovered; a scene takes the cheapest that moves all its bodies.

A family that is made for a body kind is named after it, and asked first: importing a solver takes up to half a second,
so those that a process never needs are left alone.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from simfactory.arms import held_joints
from simfactory.errors import SpecError
from simfactory.simulators.newton.steps.base import Steps
from simfactory.spec import SceneSpec

__all__ = ["Steps", "steps_for"]


@cache
def _family_names() -> tuple[str, ...]:
    return tuple(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")


def _families(names: Iterable[str]) -> list[type[Steps]]:
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found: list[type[Steps]] = [module.STEPS for module in modules if hasattr(module, "STEPS")]
    return sorted(found, key=lambda family: family.cost)


def _fitting(families: Iterable[type[Steps]], kinds: set[str], spec: SceneSpec | None) -> type[Steps] | None:
    """Return the first family that moves all kinds of bodies, and what joints a scene has if one is given."""

    def holds(family: type[Steps]) -> bool:
        if spec is None or family.has_joints or not spec.joints:
            return True
        return family.guides_robots and not held_joints(spec)

    return next((one for one in families if kinds <= one.kinds and holds(one)), None)


def steps_for(spec: SceneSpec) -> type[Steps]:
    """Return the solver family of a scene.

    Raises:
        SpecError: No family moves all its bodies, or holds its joints.
    """
    kinds: set[str] = {body.kind for body in spec.bodies}
    families: list[type[Steps]] = []
    for names in (kinds.intersection(_family_names()), _family_names()):
        families = _families(names)
        family = _fitting(families, kinds, spec)
        if family is not None:
            return family
    if spec.joints and _fitting(families, kinds, None) is not None:
        raise SpecError(
            f"newton holds no joints in scenes with bodies of kinds {', '.join(sorted(kinds))}; allowed are joints "
            "among rigid bodies alone, and those of a robot beside cloth or ropes: take the joints or the other bodies "
            "away"
        )
    together = "; ".join(", ".join(sorted(family.kinds)) for family in families)
    raise SpecError(
        f"bodies of kinds {', '.join(sorted(kinds))} cannot be simulated in one scene by newton; allowed together "
        f"are: {together}; put them into scenes of their own"
    )
